#include "proxy/redis/slots.hpp"

#include <algorithm>
#include <cassert>

#include "proxy/redis/hash.hpp"
#include "proxy/redis/ring.hpp"

namespace ambassador::proxy::redis {

// CRC16 in its XMODEM variety; twemproxy's does not mask what is above 16 bits.
std::uint16_t slot_of(std::string_view key) {
  return static_cast<std::uint16_t>(hash_key(config::Hash::crc16, tagged_part(key, "{}")) % kSlots);
}

SlotMap::SlotMap(std::span<const config::SlotRange> ranges) {
  if (ranges.empty()) return;
  std::vector<const config::SlotRange*> sorted;
  for (const config::SlotRange& range : ranges) sorted.push_back(&range);
  std::ranges::sort(sorted, {}, [](const config::SlotRange* range) { return range->first; });
  of_slot_.assign(kSlots, kNobody);
  for (const config::SlotRange* range : sorted) {
    assert(range->first <= range->last && range->last < kSlots);
    auto shard = std::ranges::find(shards_, range->primary, &ClusterShard::primary);
    if (shard == shards_.end())
      shard = shards_.insert(shard, {range->primary, range->replicas, range->first});
    const auto number = static_cast<std::uint16_t>(shard - shards_.begin());
    std::fill(of_slot_.begin() + range->first, of_slot_.begin() + range->last + 1, number);
  }
}

}  // namespace ambassador::proxy::redis
