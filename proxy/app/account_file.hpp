// User name and password of a Secret, as the kubelet lays them into a folder. Reads, keeps nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/result/result.hpp"
#include "proxy/session/account.hpp"

namespace ambassador::proxy::app {

/// A user name or password that is longer is none.
inline constexpr std::size_t kMaxCredentialBytes = std::size_t{16} * 1024;

/// Of the files `username` and `password` in `folder`, each without the newline at its end, both of one
/// version of the Secret. An Error names the file, what is wrong with it and the way out. `usual_user`: who
/// it is when there is no file `username`; empty: that is an error.
Result<std::shared_ptr<const Account>> read_account(const std::string& folder,
                                                    std::string_view usual_user = {});

}  // namespace ambassador::proxy::app
