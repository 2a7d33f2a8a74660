// What a server's ErrorResponse (or NoticeResponse) says. Used by logging in, which judges by it whether
// another attempt makes sense, and by the session. Pure.
//
// Source: https://www.postgresql.org/docs/current/protocol-error-fields.html
#pragma once

#include <optional>
#include <string_view>

namespace ambassador::proxy::postgresql {

/// Views into the body; what was not said is empty.
struct ErrorFields {
  std::string_view severity{};  // V, never translated; S of servers older than 9.6
  std::string_view code{};      // C, SQLSTATE
  std::string_view message{};   // M
};

/// Nothing when the body isn't fields up to a zero byte that ends it.
[[nodiscard]] std::optional<ErrorFields> read_error_fields(std::string_view body);

/// A server that refuses with this SQLSTATE may do otherwise in a moment: it starts, stops, recovers, or has
/// no connection left.
[[nodiscard]] bool is_passing(std::string_view code);

}  // namespace ambassador::proxy::postgresql
