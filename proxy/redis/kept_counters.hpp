// What the reply caches of one listener count together, over its workers and reloads. Written by each cache's
// own thread, read by any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "proxy/session/keeping.hpp"

namespace ambassador::proxy::redis {

struct KeptCounters {
  /// Of one cache, on lines of the processor's cache of its own: counted with every read.
  struct alignas(64) OfCache {
    std::atomic<std::uint64_t> hits{0}, misses{0}, invalidations{0}, evictions{0}, bytes{0}, connections{0};
  };
  static constexpr std::size_t kCaches = 16;  // more of them share
  std::array<OfCache, kCaches> of_caches{};
  std::atomic<std::size_t> caches{0};

  [[nodiscard]] OfCache& next() { return of_caches[caches.fetch_add(1) % kCaches]; }
  /// All but most_bytes.
  [[nodiscard]] KeptCounts sum() const {
    KeptCounts all;
    for (const OfCache& one : of_caches) {
      all.hits += one.hits.load(std::memory_order_relaxed);
      all.misses += one.misses.load(std::memory_order_relaxed);
      all.invalidations += one.invalidations.load(std::memory_order_relaxed);
      all.evictions += one.evictions.load(std::memory_order_relaxed);
      all.bytes += one.bytes.load(std::memory_order_relaxed);
      all.connections += one.connections.load(std::memory_order_relaxed);
    }
    return all;
  }
};

}  // namespace ambassador::proxy::redis
