// The keys of one listener that are asked for most, as one worker saw them in a sample of the commands. Each
// counts for less and less as time goes by, half of it after kHalfLife. Memory is bounded: keys lie in
// buckets by their hash, and in each the Space-Saving algorithm (Metwally, Agrawal, El Abbadi 2005) decides
// who is kept: a new key takes the place, and the count, of the one with the least. So no count is too low,
// none is too high by more than it took over, and a key that gets more than 1/kInBucket of what falls to its
// bucket is there. Without a socket or a clock of its own. One worker's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/clock.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/session/key_watch.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

class HotKeys final : public KeyWatch {
 public:
  static constexpr std::chrono::seconds kHalfLife{30};
  static constexpr std::size_t kBuckets = 16;
  static constexpr std::size_t kInBucket = 16;

  explicit HotKeys(std::function<SteadyTime()> now) : now_(std::move(now)) {}

  /// From now on. What is there stays, unless nothing is to be kept any more.
  void limit(const HotLimits& limits);
  void saw(std::string_view key) override;
  /// Appends what is known of `listener`, whose keys these are, in no order; nothing, if none are kept.
  void list(const std::string& listener, std::vector<AskedKeys>& out) const;

 private:
  struct Entry {
    std::size_t hash = 0;
    double count = 0;     // of commands, as many as the sample stands for, faded
    double too_high = 0;  // so much of it was another key's
    std::string key;
  };

  std::uint32_t next() override;
  /// What one command counts now, as those before it have faded.
  [[nodiscard]] double weight(SteadyTime now);

  const std::function<SteadyTime()> now_;
  HotLimits limits_;
  std::uint32_t random_ = 2463534242;
  std::vector<Entry> entries_;  // empty until there is something to keep
  double total_ = 0;            // of all counts that there ever were, faded
  SteadyTime began_;
  SteadyTime unfaded_;  // what is counted then counts 1
};

/// What workers know, put together: listeners in their order, each with its keys, the hottest first, no more
/// than are to be listed. Keys whose figure may be chance are left out.
[[nodiscard]] std::vector<AskedKeys> put_together(std::vector<AskedKeys> of_workers);

}  // namespace ambassador::proxy::net
