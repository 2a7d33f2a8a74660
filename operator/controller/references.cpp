#include "operator/controller/references.hpp"

namespace ambassador::controller {

void References::set(const std::string& policy, std::set<discovery::ObjectReference> references) {
  const std::lock_guard lock(mutex_);
  auto& mine = by_policy_[policy];
  for (const auto& old : mine) {
    const auto found = by_reference_.find(old);
    found->second.erase(policy);
    if (found->second.empty()) by_reference_.erase(found);
  }
  for (const auto& one : references) by_reference_[one].insert(policy);
  mine = std::move(references);
  if (mine.empty()) by_policy_.erase(policy);
}

std::vector<std::string> References::policies_of(const discovery::ObjectReference& reference) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_reference_.find(reference);
  if (found == by_reference_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

void References::clear() {
  const std::lock_guard lock(mutex_);
  by_policy_.clear();
  by_reference_.clear();
}

}  // namespace ambassador::controller
