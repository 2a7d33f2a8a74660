// Where a message begins and ends: one byte of type, four of length (its own four included), then the body.
// The length is judged before anything else is. For both sides, the first packet of a client apart
// (first_packet.hpp). Used by all that reads this protocol. Pure.
//
// Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ambassador::proxy::postgresql {

inline constexpr std::size_t kHeader = 5;  // type and length

enum class Found : std::uint8_t {
  incomplete,  // more bytes are needed
  whole,
  broken,  // a length that no message can have: the connection must be closed
};

struct Header {
  Found found = Found::incomplete;
  char type = 0;
  std::uint32_t body = 0;  // bytes behind the header
  [[nodiscard]] std::uint64_t size() const { return std::uint64_t{kHeader} + body; }
};

/// The header at the start of `input`; says nothing of whether the body is there.
[[nodiscard]] Header read_header(std::string_view input);

struct Message {
  Found found = Found::incomplete;
  char type = 0;
  std::string_view body{};
  [[nodiscard]] std::size_t size() const { return kHeader + body.size(); }
};

/// The message at the start of `input`, if it is all there; broken when its body is longer than `max_body`,
/// as soon as the header is there.
[[nodiscard]] Message read_message(std::string_view input, std::uint32_t max_body);

}  // namespace ambassador::proxy::postgresql
