// Redis Cluster's slots: which one a key is in, and with which servers each of the 16,384 lies. Used by the
// router in mode Cluster. Pure and immutable: any thread may look up.
//
// Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ (key distribution
// model).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

inline constexpr std::uint16_t kSlots = 16384;

/// The slot of a key: of what stands between its first '{' and the first '}' behind that, if anything does.
[[nodiscard]] std::uint16_t slot_of(std::string_view key);

/// A server that keys lie with, and who has copies of them.
struct ClusterShard {
  BackendIndex primary = kNoBackend;
  std::vector<BackendIndex> replicas{};
  std::uint16_t first = 0;  // its lowest slot
  friend bool operator==(const ClusterShard&, const ClusterShard&) = default;
};

class SlotMap {
 public:
  SlotMap() = default;
  /// `ranges` do not overlap and name servers by BackendIndex. What lies in none of them is nobody's.
  explicit SlotMap(std::span<const config::SlotRange> ranges);

  /// Whom the slot lies with; null: nobody is known.
  [[nodiscard]] const ClusterShard* shard_of(std::uint16_t slot) const {
    if (of_slot_.empty()) return nullptr;
    const std::uint16_t number = of_slot_[slot];
    return number == kNobody ? nullptr : &shards_[number];
  }
  [[nodiscard]] BackendIndex primary_of(std::uint16_t slot) const {
    const ClusterShard* shard = shard_of(slot);
    return shard == nullptr ? kNoBackend : shard->primary;
  }
  /// All of them, by the lowest slot of each: a shard keeps its number when another one of its servers
  /// becomes the primary.
  [[nodiscard]] std::span<const ClusterShard> shards() const { return shards_; }

 private:
  static constexpr std::uint16_t kNobody = 0xffff;

  std::vector<ClusterShard> shards_;
  std::vector<std::uint16_t> of_slot_;  // empty, or kSlots numbers of shards
};

}  // namespace ambassador::proxy::redis
