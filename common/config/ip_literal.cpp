#include "common/config/ip_literal.hpp"

#include <algorithm>
#include <cstddef>

namespace ambassador::config {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool hex_digit(char c) {
  return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_octet(std::string_view text) {
  if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), digit)) return false;
  if (text.size() > 1 && text[0] == '0') return false;
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value <= 255;
}

bool is_group(std::string_view text) {
  return !text.empty() && text.size() <= 4 && std::all_of(text.begin(), text.end(), hex_digit);
}

/// 16-bit groups in "a:b:c", or -1 when it is not such a list. A dotted IPv4 tail counts as two.
int count_groups(std::string_view text, bool may_end_in_ipv4) {
  if (text.empty()) return 0;
  int groups = 0;
  while (true) {
    const auto colon = text.find(':');
    const auto group = text.substr(0, colon);
    if (colon == text.npos && may_end_in_ipv4 && is_ipv4_literal(group)) return groups + 2;
    if (!is_group(group)) return -1;
    ++groups;
    if (colon == text.npos) return groups;
    text.remove_prefix(colon + 1);
  }
}

}  // namespace

bool is_ipv4_literal(std::string_view text) {
  for (int i = 0; i < 3; ++i) {
    const auto dot = text.find('.');
    if (dot == text.npos || !is_octet(text.substr(0, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return is_octet(text);
}

bool is_ipv6_literal(std::string_view text) {
  if (const auto percent = text.find('%'); percent != text.npos) {
    const auto scope = text.substr(percent + 1);
    const auto plain = [](char c) {
      return hex_digit(c) || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '.' || c == '_' ||
             c == '-';
    };
    if (scope.empty() || scope.size() > 15 || !std::all_of(scope.begin(), scope.end(), plain)) return false;
    text = text.substr(0, percent);
  }
  const auto gap = text.find("::");
  if (gap == text.npos) return count_groups(text, true) == 8;
  const int before = count_groups(text.substr(0, gap), false);
  const int after = count_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 7;
}

bool is_loopback_literal(std::string_view text) {
  return (is_ipv4_literal(text) && text.starts_with("127.")) || text == "::1";
}

}  // namespace ambassador::config
