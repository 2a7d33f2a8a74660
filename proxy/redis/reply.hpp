// Writing RESP2: replies made here, requests sent to servers. Each appends to `out`. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/redis/number.hpp"

namespace ambassador::proxy::redis {

inline void append_header(std::string& out, char type, std::int64_t number) {
  out += type;
  append_number(out, number);
  out += "\r\n";
}
inline void append_integer(std::string& out, std::int64_t value) {
  append_header(out, ':', value);
}
inline void append_array(std::string& out, std::size_t elements) {
  append_header(out, '*', static_cast<std::int64_t>(elements));
}
inline void append_bulk(std::string& out, std::string_view value) {
  append_header(out, '$', static_cast<std::int64_t>(value.size()));
  out += value;
  out += "\r\n";
}
inline void append_simple(std::string& out, std::string_view value) {
  out += '+';
  out += value;
  out += "\r\n";
}
/// "-<text>": `text` begins with the error's kind ("ERR ..."); line ends in it become blanks, as in Redis.
inline void append_error(std::string& out, std::string_view text) {
  out += '-';
  for (const char c : text) out += c == '\r' || c == '\n' ? ' ' : c;
  out += "\r\n";
}

}  // namespace ambassador::proxy::redis
