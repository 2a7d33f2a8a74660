// What kinds of connections to servers there are: the version of RESP, the database that they were put into
// by their greeting, and whether a replica of a cluster answers reads by them. The session says which one a
// message needs, the core makes greetings and framers for them. Pure.
#pragma once

#include <cstdint>

#include "proxy/session/greeting.hpp"

namespace ambassador::proxy::redis {

enum class Resp : std::uint8_t { two = 2, three = 3 };

/// The highest database that a kind can name (a server has 16 of them, unless it was told otherwise).
inline constexpr std::uint16_t kMaxDatabase = 0x3fff;

/// RESP2 and database 0 are the ordinary kind. `from_replica`: READONLY is said.
[[nodiscard]] constexpr LaneKind lane_kind(Resp resp, std::uint16_t database, bool from_replica = false) {
  return static_cast<LaneKind>(database << 2 | (from_replica ? 2 : 0) | (resp == Resp::three ? 1 : 0));
}
[[nodiscard]] constexpr Resp resp_of(LaneKind kind) {
  return (static_cast<std::uint16_t>(kind) & 1) != 0 ? Resp::three : Resp::two;
}
[[nodiscard]] constexpr std::uint16_t database_of(LaneKind kind) {
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(kind) >> 2);
}
[[nodiscard]] constexpr bool from_replica(LaneKind kind) {
  return (static_cast<std::uint16_t>(kind) & 2) != 0;
}

/// The kind whose shared connections are tracked where replies are kept: what servers tell is RESP3, and
/// names no database.
inline constexpr LaneKind kTrackedKind = lane_kind(Resp::three, 0);

}  // namespace ambassador::proxy::redis
