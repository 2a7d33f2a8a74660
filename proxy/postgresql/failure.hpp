// What clients are told when the proxy has no server for them, or lost it. Used by the session. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/postgresql/write.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::postgresql {

struct FailureText {
  std::string_view code;
  std::string_view message;
};

/// Why no server was lent.
[[nodiscard]] FailureText describe(Failure failure);

/// Appends `error`, an ErrorResponse of a server (or empty: by `failure`), as one of that severity.
void write_failure(std::string& out, std::string_view severity, Failure failure, std::string_view error);

}  // namespace ambassador::proxy::postgresql
