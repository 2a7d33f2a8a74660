// Recognises IP address literals without a resolver or socket header. Pure.
#pragma once

#include <string_view>

namespace ambassador::config {

/// Four decimal numbers 0 to 255 without leading zeros.
bool is_ipv4_literal(std::string_view text);
/// RFC 4291 text, with an optional dotted IPv4 tail and an optional %scope. No brackets.
bool is_ipv6_literal(std::string_view text);
inline bool is_ip_literal(std::string_view text) {
  return is_ipv4_literal(text) || is_ipv6_literal(text);
}
/// 127.0.0.0/8 or ::1.
bool is_loopback_literal(std::string_view text);

}  // namespace ambassador::config
