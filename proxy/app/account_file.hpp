// User name and password of a Secret, as the kubelet lays them into a folder. Reads, keeps nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "common/result/result.hpp"
#include "proxy/postgresql/settings.hpp"

namespace ambassador::proxy::app {

/// A user name or password that is longer is none.
inline constexpr std::size_t kMaxCredentialBytes = std::size_t{16} * 1024;

/// Of the files `username` and `password` in `folder`, each without the newline at its end, both of one
/// version of the Secret. An Error names the file, what is wrong with it and the way out.
Result<std::shared_ptr<const postgresql::Account>> read_account(const std::string& folder);

}  // namespace ambassador::proxy::app
