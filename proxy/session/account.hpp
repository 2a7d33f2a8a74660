// Who logs in at servers, or as whom clients log in: what a Secret says. Read by proxy/app, used by the
// protocols' cores. Plain data that does not stay in memory.
#pragma once

#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace ambassador::proxy {

/// A user's name and password. Wiped when destroyed.
struct Account {
  std::string user;
  std::string password;

  Account(std::string name, std::string secret) : user(std::move(name)), password(std::move(secret)) {}
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;
  ~Account() {
    ::explicit_bzero(user.data(), user.size());
    ::explicit_bzero(password.data(), password.size());
  }
};

/// Tells the account of now, by any thread; null: there is none yet.
using AccountFunction = std::function<std::shared_ptr<const Account>()>;

}  // namespace ambassador::proxy
