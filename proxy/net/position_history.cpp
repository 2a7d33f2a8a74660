#include "proxy/net/position_history.hpp"

#include <algorithm>

namespace ambassador::proxy::net {

void PositionHistory::add(SteadyTime when, std::uint64_t position) {
  if (!samples_.empty() && position < samples_.back().position) samples_.clear();
  if (!samples_.empty() && position == samples_.back().position) {
    samples_.back().when = std::max(when, samples_.back().when);
    return;
  }
  if (samples_.size() >= kMost) thin();
  samples_.push_back({when, position});
}

// Those stay without which a lag would look longer by more than an eighth; shorter none does.
void PositionHistory::thin() {
  const SteadyTime newest = samples_.back().when;
  std::size_t kept = samples_.size() - 1;  // the oldest one that stays so far
  for (std::size_t i = samples_.size() - 1; i-- > 0;) {
    const SteadyTime newer = samples_[kept].when;
    if (i > 0 && newer - samples_[i - 1].when <= (newest - newer) / 8) continue;
    samples_[--kept] = samples_[i];
  }
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(kept));
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
