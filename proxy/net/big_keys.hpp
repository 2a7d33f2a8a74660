// The largest messages of one listener that were about a key, as one worker saw them: of each key the
// largest, of all keys a few, for kKept. What is smaller than the threshold touches nothing of it. One
// worker's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/net/clock.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

class BigKeys {
 public:
  /// What was not that large any more for so long is forgotten.
  static constexpr std::chrono::hours kKept{1};

  /// From now on; the smallest that do not fit any more are forgotten.
  void limit(const BigLimits& limits);
  /// What has so many bytes, or more, may be kept.
  [[nodiscard]] std::uint64_t threshold() const { return threshold_; }
  /// One of so many bytes would be kept, at least for its size: it is worth asking what it is about.
  [[nodiscard]] bool takes(std::uint64_t bytes, SystemTime now) const;
  /// `big`.at is now.
  void add(BigKey big);
  /// Appends those that are not to be forgotten by `now`.
  void list(SystemTime now, std::vector<BigKey>& out) const;

 private:
  std::uint64_t threshold_ = ~std::uint64_t{0};
  std::size_t most_ = 0;
  std::vector<BigKey> keys_;
};

/// What workers know, put together: of each key the largest, and of all the largest first.
[[nodiscard]] std::vector<BigKey> put_together(std::vector<BigKey> of_workers);

}  // namespace ambassador::proxy::net
