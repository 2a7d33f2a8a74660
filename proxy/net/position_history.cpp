#include "proxy/net/position_history.hpp"

#include <algorithm>

namespace ambassador::proxy::net {

void PositionHistory::add(SteadyTime when, std::uint64_t position) {
  if (!samples_.empty() && position < samples_.back().position) samples_.clear();
  if (!samples_.empty() && position == samples_.back().position) {
    samples_.back().when = std::max(when, samples_.back().when);
    return;
  }
  if (samples_.size() >= kMost) {
    // What is left out makes a lag look longer, never shorter.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (i >= kMost / 2 || i % 2 == 0) samples_[kept++] = samples_[i];
    }
    samples_.resize(kept);
  }
  samples_.push_back({when, position});
}

std::optional<Behind> PositionHistory::behind(std::uint64_t position, SteadyTime now) const {
  const auto next =
      std::upper_bound(samples_.begin(), samples_.end(), position,
                       [](std::uint64_t value, const Sample& sample) { return value < sample.position; });
  if (next == samples_.begin()) return std::nullopt;
  const SteadyTime when = std::prev(next)->when;
  const bool has_all = next == samples_.end();
  return Behind{when, has_all ? SteadyTime::duration::zero() : std::max(now - when, SteadyTime::duration{})};
}

}  // namespace ambassador::proxy::net
