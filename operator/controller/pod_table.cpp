#include "operator/controller/pod_table.hpp"

namespace ambassador::controller {
namespace {

void count(status::PodCounts& sums, const PodVerdict& verdict) {
  if (verdict.leaving) return;
  ++sums.selected;
  ++sums.injected;
  if (verdict.up_to_date) ++sums.up_to_date;
  if (verdict.stale) ++sums.stale;
  if (verdict.ready) ++sums.ready;
}

}  // namespace

std::set<api::PolicyKey> PodTable::put(const std::string& pod, PodVerdict verdict) {
  const std::lock_guard lock(mutex_);
  auto& place = verdicts_[pod];
  std::set<api::PolicyKey> changed;
  if (place == verdict) return changed;
  for (const auto& policy : place.policies) {
    changed.insert(policy);
    carrying_[policy].erase(pod);
  }
  for (const auto& policy : verdict.policies) {
    changed.insert(policy);
    carrying_[policy].insert(pod);
  }
  place = std::move(verdict);
  return changed;
}

std::set<api::PolicyKey> PodTable::remove(const std::string& pod) {
  const std::lock_guard lock(mutex_);
  const auto found = verdicts_.find(pod);
  if (found == verdicts_.end()) return {};
  std::set<api::PolicyKey> changed(found->second.policies.begin(), found->second.policies.end());
  for (const auto& policy : changed) {
    const auto carrying = carrying_.find(policy);
    carrying->second.erase(pod);
    if (carrying->second.empty()) carrying_.erase(carrying);
  }
  verdicts_.erase(found);
  return changed;
}

void PodTable::clear() {
  const std::lock_guard lock(mutex_);
  verdicts_.clear();
  carrying_.clear();
}

status::PodCounts PodTable::counts(const api::PolicyKey& policy) const {
  const std::lock_guard lock(mutex_);
  status::PodCounts sums;
  const auto carrying = carrying_.find(policy);
  if (carrying == carrying_.end()) return sums;
  for (const auto& pod : carrying->second) count(sums, verdicts_.at(pod));
  return sums;
}

std::size_t PodTable::holders(const api::PolicyKey& policy) const {
  const std::lock_guard lock(mutex_);
  const auto carrying = carrying_.find(policy);
  return carrying == carrying_.end() ? 0 : carrying->second.size();
}

std::vector<std::string> PodTable::conflicts(const api::PolicyKey& policy) const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> sentences;
  const auto carrying = carrying_.find(policy);
  if (carrying == carrying_.end()) return {};
  for (const auto& pod : carrying->second) {
    const auto& differences = verdicts_.at(pod).differences;
    sentences.insert(differences.begin(), differences.end());
  }
  std::vector<std::string> out(sentences.begin(), sentences.end());
  if (out.size() > kMaxConflicts) out.resize(kMaxConflicts);
  return out;
}

PodVerdict PodTable::get(const std::string& pod) const {
  const std::lock_guard lock(mutex_);
  const auto found = verdicts_.find(pod);
  return found == verdicts_.end() ? PodVerdict{} : found->second;
}

std::vector<std::string> PodTable::pods_of(const api::PolicyKey& policy) const {
  const std::lock_guard lock(mutex_);
  const auto carrying = carrying_.find(policy);
  if (carrying == carrying_.end()) return {};
  return {carrying->second.begin(), carrying->second.end()};
}

status::PodCounts PodTable::total() const {
  const std::lock_guard lock(mutex_);
  status::PodCounts sums;
  for (const auto& [pod, verdict] : verdicts_) count(sums, verdict);
  return sums;
}

}  // namespace ambassador::controller
