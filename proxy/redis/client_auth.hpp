// Who clients have to say that they are before they may do anything (clientAuth), as a Redis server with
// requirepass and as one without asks it. One user, of a Secret; used by AUTH, HELLO and RESET. Pure.
//
// Source: https://redis.io/docs/latest/commands/auth/; acl.c and networking.c of Redis 7.0 for the words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/redis/client_info.hpp"
#include "proxy/redis/command.hpp"
#include "proxy/session/account.hpp"

namespace ambassador::proxy::redis {

class ClientAuth {
 public:
  /// Clients are trusted.
  ClientAuth() = default;
  /// `account`: as whom clients log in, asked at each login; null as long as that is not known: nobody is let
  /// in. Empty: clients are trusted.
  explicit ClientAuth(AccountFunction account) : account_(std::move(account)) {}

  /// Clients have to log in first.
  [[nodiscard]] bool required() const { return static_cast<bool>(account_); }
  /// Lets `client` in as that user, or appends the error reply to `out` and leaves it as it was: false.
  /// `user`: none where only a password is given, which is for the one user that there is. Takes as long for
  /// a wrong password as for the right one.
  [[nodiscard]] bool log_in(std::optional<std::string_view> user, std::string_view password,
                            ClientInfo& client, std::string& out) const;
  /// As it was when it connected.
  void log_out(ClientInfo& client) const;

 private:
  AccountFunction account_;
};

/// What a client may send before it has logged in.
[[nodiscard]] inline bool comes_before_login(const Command& command) {
  return command.local == Local::auth || command.local == Local::hello || command.local == Local::quit ||
         command.local == Local::reset;
}

/// To every other command then.
inline constexpr std::string_view kLoginRequired = "NOAUTH Authentication required.";

}  // namespace ambassador::proxy::redis
