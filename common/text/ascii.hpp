// Letters of ASCII, whatever the locale is. Pure.
#pragma once

namespace ambassador::text {

/// 'A' to 'Z' as small letters; every other byte as it is.
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace ambassador::text
