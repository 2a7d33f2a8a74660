// The lanes that one client has leased for more than a message (Verdict::lease), at most one per backend (and
// kind), and what their servers sent unasked and the client has not been given yet. Plain data: what is done
// with it lies in leases.cpp, which is a part of Client. One worker's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/net/lane.hpp"
#include "proxy/net/slices.hpp"

namespace ambassador::proxy::net {

struct LentLane {
  std::unique_ptr<Lane> lane;
  std::uint32_t open = 0;     // requests that it owes
  bool ends = false;          // with the last of them
  bool reusable = false;      // by another client then
  bool answered = false;      // something, of the exchange...
  std::uint32_t answers = 0;  // ...with this sequence number
  Slices news;                // the front of a message
};

/// A message that nobody asked for, whole.
struct News {
  Slices text;
  bool follows = false;     // it came after a reply to the exchange...
  std::uint32_t after = 0;  // ...with this sequence number, which the client must have first
};

struct Leases {
  std::vector<LentLane> lanes;
  std::vector<News> news;  // in the order in which they came

  [[nodiscard]] LentLane* find(const Lane& lane) {
    for (LentLane& lease : lanes) {
      if (lease.lane.get() == &lane) return &lease;
    }
    return nullptr;
  }
  [[nodiscard]] LentLane* find(const Upstream& upstream, LaneKind kind) {
    for (LentLane& lease : lanes) {
      if (&lease.lane->upstream() == &upstream && lease.lane->kind() == kind) return &lease;
    }
    return nullptr;
  }
  [[nodiscard]] bool listens() const {
    for (const LentLane& lease : lanes) {
      if (lease.lane->listens()) return true;
    }
    return false;
  }
};

}  // namespace ambassador::proxy::net
