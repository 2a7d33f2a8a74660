// One policy: find its backends, write its status. Called by the workers of the queue "policy"; keys are
// "namespace/ name", or "name" for a ClusterAmbassadorPolicy.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "operator/admission/cluster_view.hpp"
#include "operator/controller/acting.hpp"
#include "operator/controller/budget_shares.hpp"
#include "operator/controller/caches.hpp"
#include "operator/controller/findings.hpp"
#include "operator/controller/name_watch.hpp"
#include "operator/controller/pod_table.hpp"
#include "operator/controller/references.hpp"
#include "operator/controller/workers.hpp"
#include "operator/status/status.hpp"

namespace ambassador::controller {

/// How long the first status of a policy waits for DNS's first answers, so that it is written once and not
/// twice.
inline constexpr std::chrono::milliseconds kFirstAnswers{400};
/// When to look again where Pods are still being counted.
inline constexpr std::chrono::milliseconds kCountLater{500};
/// Somebody else changed the object: our cache knows it in a moment.
inline constexpr std::chrono::milliseconds kCacheLag{100};

class PolicyReconciler {
 public:
  struct Needs {
    const Acting& acting;
    admission::ClusterView& view;
    const Caches& caches;
    NameWatch& names;
    References& references;
    const PodTable& pods;  // those that are injected
    /// Selected Pods without an ambassador; nullopt: not known yet, then what status said last stays.
    std::function<std::optional<unsigned>(const api::PolicyKey&)> missed;
    std::chrono::milliseconds status_interval;
  };
  explicit PolicyReconciler(Needs needs) : needs_(std::move(needs)) {}

  Verdict reconcile(const std::string& key, const std::stop_token& stop);
  /// A new term of leadership: nothing is known of the times of the one before.
  void forget();

  [[nodiscard]] std::uint64_t status_writes() const { return writes_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Times {
    Clock::time_point first_seen = Clock::now();
    Clock::time_point written{};
  };

  [[nodiscard]] kube::Object document(const std::string& key) const;
  Verdict gone(const std::string& key);
  /// `policy` is the one that `known` holds.
  Findings find(const std::string& key, const inject::KnownPolicy& known, const api::Policy& policy,
                const std::string& now);
  Verdict write(const std::string& key, const kube::Json& document, const kube::Json& status,
                const std::stop_token& stop);
  /// nullopt: all count (a ClusterAmbassadorPolicy serves many namespaces).
  [[nodiscard]] std::optional<discovery::UsedUpstreams> used_upstreams(
      const inject::KnownPolicy& known) const;
  /// `missed` as from Needs; without it what `before`, the status, said stays.
  status::PodCounts counts(const api::PolicyKey& policy, std::optional<unsigned> missed,
                           const kube::Json& before) const;
  /// What each Pod may open of the policy's connectionBudget; nullopt: it has none.
  std::optional<BudgetShares::Decision> share(const std::string& key, const inject::KnownPolicy& known);
  void tell(const kube::Json& document, const kube::Json& before, const kube::Json& after);
  Times times(const std::string& key);

  const Needs needs_;
  std::mutex mutex_;
  std::map<std::string, Times> times_;
  BudgetShares shares_;
  std::atomic<std::uint64_t> writes_{0};
};

}  // namespace ambassador::controller
