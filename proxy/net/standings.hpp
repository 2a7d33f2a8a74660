// How far each of a listener's replicas is behind its primary, put together from what the servers say of
// themselves, and written into the Upstreams. Kept by whoever asks them: RoleWatch, or health checking. One
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "proxy/net/clock.hpp"
#include "proxy/net/position_history.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/session/standing.hpp"

namespace ambassador::proxy::net {

class Standings {
 public:
  /// These are the servers now; what is known of those that stay is kept.
  void follow(const Upstreams& upstreams);

  /// `one` of them, asked at `asked_at`, answered at `now`; Upstream::set_standing has been told. True: the
  /// primary writes another history than before, and what the replicas said says nothing any more.
  bool said(const Upstream& one, const Standing& standing, SteadyTime asked_at, SteadyTime now);
  /// `one` is not reached: it may be elsewhere in its history when it is back.
  void silent(const Upstream& one, SteadyTime now);
  /// Some server takes writes by right, and answered when it was asked last.
  [[nodiscard]] bool has_primary() const;

 private:
  struct Known {
    std::uint64_t position = 0;
    bool answers = false;
  };

  Upstreams upstreams_;
  std::vector<Known> known_;  // by their order
  PositionHistory history_;   // of the primary
  const Upstream* primary_ = nullptr;
  std::uint64_t term_ = 0;
};

}  // namespace ambassador::proxy::net
