// Writing RESP: replies made here, requests sent to servers. Each appends to `out`; what RESP2 and RESP3 have
// different words for takes the version. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/redis/lane_kind.hpp"
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
/// The key and value of each of `pairs` follow.
inline void append_map(std::string& out, std::size_t pairs, Resp resp) {
  if (resp == Resp::two) return append_array(out, 2 * pairs);
  append_header(out, '%', static_cast<std::int64_t>(pairs));
}
inline void append_push(std::string& out, std::size_t elements, Resp resp) {
  append_header(out, resp == Resp::three ? '>' : '*', static_cast<std::int64_t>(elements));
}
inline void append_null(std::string& out, Resp resp) {
  out += resp == Resp::three ? "_\r\n" : "$-1\r\n";
}
/// Text for people, of several lines.
inline void append_text(std::string& out, std::string_view text, Resp resp) {
  if (resp == Resp::two) return append_bulk(out, text);
  constexpr std::string_view kFormat = "txt:";
  append_header(out, '=', static_cast<std::int64_t>(kFormat.size() + text.size()));
  out += kFormat;
  out += text;
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
