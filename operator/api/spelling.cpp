#include "operator/api/spelling.hpp"

#include <algorithm>

namespace ambassador::api {
namespace {

bool lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool hexadecimal(char c) {
  return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (true) {
    const auto dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    if (part.empty() || part.size() > 3 || !std::ranges::all_of(part, digit)) return false;
    if (std::stoi(std::string(part)) > 255) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_dns_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return lower(c) || digit(c) || c == '-'; });
}

bool is_dns_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_port_name(std::string_view text) {
  return text.size() <= 15 && is_dns_label(text) && std::ranges::any_of(text, lower) &&
         text.find("--") == std::string_view::npos;
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && text.size() <= 128 && !digit(text.front()) &&
         std::ranges::all_of(text, [](char c) { return lower(c) || upper(c) || digit(c) || c == '_'; });
}

bool is_ip_literal(std::string_view text) {
  if (is_ipv4(text)) return true;
  return text.size() <= 45 && std::ranges::count(text, ':') >= 2 &&
         std::ranges::all_of(text, [](char c) { return hexadecimal(c) || c == ':' || c == '.'; });
}

}  // namespace ambassador::api
