// Where a message begins and ends: one byte of type, four of length (its own four included), then the body.
// The length is judged before anything else is. For both sides, the first packet of a client apart
// (first_packet.hpp). Used by all that reads this protocol. Pure.
//
// Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/postgresql/body_reader.hpp"

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
[[nodiscard]] inline Header read_header(std::string_view input) {
  if (input.size() < kHeader) return {};
  // It counts itself. More than 2 GiB would be negative: the protocol's integers are signed.
  const std::uint32_t length = big_endian32(input.data() + 1);
  if (length < sizeof length || length > INT32_MAX) return {.found = Found::broken, .type = input[0]};
  return {
      .found = Found::whole, .type = input[0], .body = length - static_cast<std::uint32_t>(sizeof length)};
}

/// Of the message at the front of `input`: the bytes that are there.
[[nodiscard]] inline std::size_t part_here(const Header& header, std::string_view input) {
  return header.size() < input.size() ? static_cast<std::size_t>(header.size()) : input.size();
}

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
