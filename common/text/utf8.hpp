// UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, nothing above U+10FFFF. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace ambassador::text {

/// Bytes of the UTF-8 character that starts `text`, 1 to 4; 0 when none does.
std::size_t character_bytes(std::string_view text);

/// Bytes of the longest start of `text` that is UTF-8: text.size() when all of it is.
std::size_t utf8_bytes(std::string_view text);

}  // namespace ambassador::text
