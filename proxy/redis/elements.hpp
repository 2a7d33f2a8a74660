// The elements of an array that a server replied, one after the other. Used where replies are looked into:
// merge and sentinel. Pure.
#pragma once

#include <cstdint>
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

}  // namespace ambassador::proxy::redis
