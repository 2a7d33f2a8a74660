#include "operator/controller/budget_shares.hpp"

#include "operator/inject/connection_share.hpp"

namespace ambassador::controller {

BudgetShares::Decision BudgetShares::decide(const std::string& policy, unsigned budget, std::size_t pods,
                                            std::optional<unsigned> now_given, Clock::time_point now) {
  const unsigned possible = inject::connection_share(budget, pods);
  const std::lock_guard lock(mutex_);
  if (!now_given || possible <= *now_given) {
    growing_.erase(policy);
    return {possible, std::nullopt};
  }
  auto& growth = growing_[policy];
  if (growth.share != possible) growth = {possible, now};
  const auto due = growth.since + kQuietBeforeGrowth;
  if (now < due) return {*now_given, std::chrono::ceil<std::chrono::milliseconds>(due - now)};
  growing_.erase(policy);
  return {possible, std::nullopt};
}

void BudgetShares::forget(const std::string& policy) {
  const std::lock_guard lock(mutex_);
  growing_.erase(policy);
}

void BudgetShares::forget_all() {
  const std::lock_guard lock(mutex_);
  growing_.clear();
}

}  // namespace ambassador::controller
