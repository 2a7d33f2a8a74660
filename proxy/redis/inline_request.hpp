// Inline requests: a line of words, typed by hand (telnet) or by health checks. Used by the request parser,
// which rewrites them so that servers see one spelling only. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ambassador::proxy::redis {

/// The words of `line` (without its end), quotes and escapes resolved as Redis' sdssplitargs does: "..."
/// knows \n \r \t \b \a \xHH and \<any>, '...' knows \' only. Nothing when quotes are not balanced or a
/// closing quote is followed by something else than a blank.
[[nodiscard]] std::optional<std::vector<std::string>> split_words(std::string_view line);

}  // namespace ambassador::proxy::redis
