// What is known about every injected Pod, summed up per policy for status.pods. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/status/status.hpp"

namespace ambassador::controller {

/// One injected Pod as the live-configuration reconciler last saw it.
struct PodVerdict {
  std::string uid;
  std::vector<api::PolicyKey> policies;
  bool up_to_date = false;  // its configuration and shape are current
  bool stale = false;       // a restart would change more than its configuration
  bool ready = false;
  std::set<api::PolicyKey> gone;         // policies on it that exist no more
  std::vector<std::string> differences;  // between the policies on it, one sentence each
  bool leaving = false;  // about to end: not counted any more, but it may still hold connections
  friend bool operator==(const PodVerdict&, const PodVerdict&) = default;
};

/// More would not help the reader of a condition.
inline constexpr std::size_t kMaxConflicts = 5;

class PodTable {
 public:
  /// Returns the policies whose sums changed.
  std::set<api::PolicyKey> put(const std::string& pod, PodVerdict verdict);
  std::set<api::PolicyKey> remove(const std::string& pod);
  void clear();

  /// Of the Pods that carry the policy; `selected` equals `injected` here.
  [[nodiscard]] status::PodCounts counts(const api::PolicyKey& policy) const;
  /// The Pods that may hold connections: all that carry the policy and have not ended.
  [[nodiscard]] std::size_t holders(const api::PolicyKey& policy) const;
  /// What its Pods say about differences to other policies: each sentence once, at most kMaxConflicts, in
  /// their order.
  [[nodiscard]] std::vector<std::string> conflicts(const api::PolicyKey& policy) const;
  /// The verdict before, or one without uid.
  [[nodiscard]] PodVerdict get(const std::string& pod) const;
  [[nodiscard]] std::vector<std::string> pods_of(const api::PolicyKey& policy) const;
  /// All Pods, each once.
  [[nodiscard]] status::PodCounts total() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, PodVerdict> verdicts_;
  std::map<api::PolicyKey, std::set<std::string>> carrying_;
};

}  // namespace ambassador::controller
