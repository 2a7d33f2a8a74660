// The requests of one listener that took long, as one worker saw them: the newest, in a ring whose entries
// are used again. Nothing of it is touched by a request that was quick. One worker's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "proxy/net/ring.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

class SlowLog {
 public:
  /// From now on; the oldest that do not fit any more are forgotten.
  void limit(const SlowLimits& limits);
  /// What takes as long as this, or longer, is kept.
  [[nodiscard]] std::chrono::microseconds threshold() const { return threshold_; }
  /// A new entry, to be filled in: what it holds is some older one's. Only where something is kept.
  [[nodiscard]] SlowRequest& add();
  /// Appends all, the oldest first.
  void list(std::vector<SlowRequest>& out) const;

 private:
  std::chrono::microseconds threshold_ = std::chrono::microseconds::max();
  std::size_t most_ = 0;
  Ring<SlowRequest> requests_;
};

}  // namespace ambassador::proxy::net
