// What clients are told when the proxy has no server for them, or lost it. Used by the session. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/postgresql/sqlstate.hpp"
#include "proxy/postgresql/write.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::postgresql {

struct FailureText {
  std::string_view code;
  std::string_view message;
};

/// Nobody can log in at servers. Drivers take the code for one that passes, which it does as soon as the
/// Secret is there.
inline constexpr FailureText kNoAccount{
    sqlstate::kCannotConnectNow,
    "the proxy has no user name and password for its servers yet; its log says which file lacks"};

/// Clients can't be let in: there is nothing to hold what they prove against.
inline constexpr FailureText kNoClientAccount{
    sqlstate::kCannotConnectNow,
    "the proxy has no user name and password for its clients yet; its log says which file lacks"};

/// Why no server was lent.
[[nodiscard]] FailureText describe(Failure failure);

/// Appends `error`, an ErrorResponse of a server (or empty: by `failure`), as one of that severity.
void write_failure(std::string& out, std::string_view severity, Failure failure, std::string_view error);

}  // namespace ambassador::proxy::postgresql
