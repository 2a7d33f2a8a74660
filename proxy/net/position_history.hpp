// Where the primary was when, so that it is known how far a replica is behind: by one clock, the proxy's own,
// never by those of the servers. Kept by Standings. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proxy/net/clock.hpp"

namespace ambassador::proxy::net {

/// Of a replica when it answered.
struct Behind {
  /// It has all that was written until then.
  SteadyTime has_until;
  /// How long ago the primary was where the replica is; 0: it has all that is known. Too much rather than too
  /// little, by the time between two questions.
  SteadyTime::duration lag{};
};

class PositionHistory {
 public:
  /// The times that are remembered; with more, those are forgotten that make little difference to a lag.
  static constexpr std::size_t kMost = 1024;

  /// The primary was at `position`, or before, when it was asked at `when`. What is not further than the last
  /// one begins another history.
  void add(SteadyTime when, std::uint64_t position);
  void clear() { samples_.clear(); }
  /// Of a replica that is at `position`. Nothing: not known, it is before all that is remembered.
  [[nodiscard]] std::optional<Behind> behind(std::uint64_t position, SteadyTime now) const;

 private:
  struct Sample {
    SteadyTime when;
    std::uint64_t position;
  };
  void thin();

  std::vector<Sample> samples_;  // both grow
};

}  // namespace ambassador::proxy::net
