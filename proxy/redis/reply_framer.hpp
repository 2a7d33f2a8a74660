// Where a server's reply ends: walks headers, skips bodies by their length, keeps its place between calls, so
// that replies of any size stream through. RESP2, and RESP3's types should a server use them. Pushes, which
// belong to no reply, are news on connections that speak RESP3; elsewhere no server sends them. One per
// connection. Pure.
//
// Source: https://redis.io/docs/reference/protocol-spec/
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/redis/decline.hpp"
#include "proxy/redis/lane_kind.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

class ReplyFramer final : public Framer {
 public:
  /// `heeds`: what Frame::declined is to tell.
  explicit ReplyFramer(Resp resp = Resp::two, Heeds heeds = Heeds::nothing)
      : pushes_(resp == Resp::three), heeds_(heeds) {}
  Frame next(std::span<const char> input) override;
  /// From now on messages of channels are news, and what confirms a subscription is a reply, though RESP3
  /// marks both as pushes. In RESP2, which has no mark, only for lanes that carry nothing but subscriptions:
  /// anything else might be answered with an array that looks like a message.
  void listen() override { listens_ = true; }

 private:
  enum class Begins : std::uint8_t { unknown, reply, push };
  [[nodiscard]] Begins beginning(std::string_view input) const;
  enum class Step : std::uint8_t { more, element, nested, broken };
  Step header(std::string_view input, std::size_t& at);
  Step open(std::int64_t elements);
  bool element_ends_reply();
  [[nodiscard]] Frame frame(std::size_t bytes, bool complete) const {
    return {.bytes = bytes, .complete = complete, .broken = false, .news = in_push_};
  }

  const bool pushes_;
  const Heeds heeds_;
  bool in_push_ = false;
  std::uint64_t body_left_ = 0;  // of a bulk whose header was read, its CRLF included
  std::size_t searched_ = 0;     // of a line whose end is not there yet
  /// Elements still to come in all open aggregates: how deep they lie in each other (scripts return thousands
  /// of levels) is nothing that has to be known to find the end.
  std::uint64_t left_ = 0;
  bool listens_ = false;
};

/// The size of the reply at the start of `text`; 0 when it is not whole or not RESP.
[[nodiscard]] std::size_t reply_size(std::string_view text);

}  // namespace ambassador::proxy::redis
