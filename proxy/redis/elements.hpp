// The elements of an array that a server replied, one after the other. Used where replies are looked into:
// merge, sentinel and cluster_view. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/redis/number.hpp"
#include "proxy/redis/reply_framer.hpp"

namespace ambassador::proxy::redis {

class Elements {
 public:
  /// `reply` is whole.
  explicit Elements(std::string_view reply) {
    if (!reply.starts_with('*') && !reply.starts_with('~')) return;  // RESP3 has sets
    const Header header = read_header(reply.data(), reply.size());
    if (header.state != Header::State::complete || header.number < 0) return;
    count_ = header.number;
    rest_ = reply.substr(header.bytes);
  }
  [[nodiscard]] std::int64_t count() const { return count_; }  // -1: not an array
  [[nodiscard]] std::string_view all() const { return rest_; }
  /// The next element; empty when there is none.
  std::string_view next() {
    const std::string_view element = rest_.substr(0, reply_size(rest_));
    rest_.remove_prefix(element.size());
    return element;
  }

 private:
  std::int64_t count_ = -1;
  std::string_view rest_;
};

/// The text of a bulk string, or of what else has that form and begins with `type`; nothing: it is of another
/// type, null, or cut short before its length is told. `element` is whole otherwise.
[[nodiscard]] inline std::optional<std::string_view> bulk_text(std::string_view element, char type = '$') {
  if (!element.starts_with(type)) return std::nullopt;
  const Header header = read_header(element.data(), element.size());
  if (header.state != Header::State::complete || header.number < 0) return std::nullopt;
  return element.substr(header.bytes, static_cast<std::size_t>(header.number));
}

}  // namespace ambassador::proxy::redis
