// Which arrays are what: addReplyCommandInfo and addReplyCommandDocs in server.c of Redis 7.0. What the proxy
// has of the documentation is one flat map.
#include "proxy/redis/command_resp3.hpp"

#include <array>

#include "proxy/redis/reply.hpp"
#include "proxy/redis/reply_framer.hpp"

namespace ambassador::proxy::redis {
namespace {

enum class Shape : std::uint8_t {
  plain,  // as it is
  set,
  info,    // an array of ten
  infos,   // of subcommands; none of them is a set
  specs,   // a set of maps: of a command's keys
  spec,    // a map, some values of which are sets and maps
  search,  // a map with another one
  map,
};

Shape shape_of_value(Shape map, std::string_view key) {
  switch (map) {
    case Shape::spec:
      return key == "flags"                                ? Shape::set
             : key == "begin_search" || key == "find_keys" ? Shape::search
                                                           : Shape::plain;
    case Shape::search:
      return key == "spec" ? Shape::map : Shape::plain;
    default:
      return Shape::plain;
  }
}

// The text of the bulk string `element`.
std::string_view text_of(std::string_view element) {
  const Header header = read_header(element.data(), element.size());
  return element.substr(header.bytes, static_cast<std::size_t>(header.number));
}

std::string_view take(std::string_view& in) {
  const std::string_view element = in.substr(0, reply_size(in));
  in.remove_prefix(element.size());
  return element;
}

void rewrite(std::string_view& in, Shape shape, std::string& out) {
  if (shape == Shape::plain || in.empty() || in.front() != '*') {
    out += take(in);
    return;
  }
  const Header header = read_header(in.data(), in.size());
  in.remove_prefix(header.bytes);
  const auto each = [&](char type, Shape element) {
    append_header(out, type, header.number);
    for (std::int64_t i = 0; i < header.number; ++i) rewrite(in, element, out);
  };
  switch (shape) {
    case Shape::set:
      return each('~', Shape::plain);
    case Shape::specs:
      return each('~', Shape::spec);
    case Shape::infos:
      return each(header.number == 0 ? '~' : '*', Shape::info);
    case Shape::info: {
      using enum Shape;
      constexpr std::array kFields{plain, plain, set, plain, plain, plain, set, set, specs, infos};
      append_array(out, kFields.size());
      for (const Shape field : kFields) rewrite(in, field, out);
      return;
    }
    default:
      append_map(out, static_cast<std::size_t>(header.number) / 2, Resp::three);
      for (std::int64_t i = 0; i < header.number / 2; ++i) {
        const std::string_view key = take(in);
        out += key;
        rewrite(in, shape_of_value(shape, text_of(key)), out);
      }
  }
}

}  // namespace

void append_info_resp3(std::string_view info, std::string& out) {
  rewrite(info, Shape::info, out);
}

void append_docs_resp3(std::string_view docs, std::string& out) {
  out += take(docs);
  rewrite(docs, Shape::map, out);
}

}  // namespace ambassador::proxy::redis
