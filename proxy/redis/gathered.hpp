// One request that went to several servers, and how their replies become one. split.hpp makes it, merge.hpp
// ends it; the session keeps it in between. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/redis/command.hpp"
#include "proxy/redis/scan_cursor.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// What is needed to make one reply of several.
struct Gathered {
  Merge merge = Merge::none;
  std::vector<std::uint16_t> part_of_key;  // in_key_order: which part answers each key
  ScanCursor scan;                         // next_cursor: where the scan was
  std::uint32_t servers = 0;               // next_cursor: how many there were
  std::uint32_t random = 0;                // pick_one
  std::uint16_t database = 0;              // selected: which one
  std::uint64_t select = 0;                // selected: the number of this SELECT
  std::uint32_t replies = 0;               // executed: that the one part has
  std::string text;                        // confirmed: the reply
  bool regardless = false;                 // confirmed: whatever the servers say
};

/// A request for one server.
struct Ask {
  BackendIndex backend = kNoBackend;
  Home home = Home::anywhere;
  std::string text;  // empty: the client's message as it is
  std::uint32_t replies = 1;
  Lease lease = Lease::none;
  bool listens = false;
};

}  // namespace ambassador::proxy::redis
