// Finds Pods that a podSelector selects and that run without an ambassador because they slipped past the
// webhook (it fails open), by watching the metadata of Pods in the namespaces with such policies; tells by an
// Event, counts them. The leader's alone. Threads: every member may be called by every thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "operator/admission/cluster_view.hpp"
#include "operator/controller/acting.hpp"
#include "operator/controller/workers.hpp"
#include "operator/kube/informer.hpp"

namespace ambassador::controller {

/// Events about a Pod that is older than this would tell nobody anything new (a restarted operator finds all
/// again).
inline constexpr std::chrono::minutes kWorthTelling{60};

class MissedPods {
 public:
  struct Needs {
    const Acting& acting;
    admission::ClusterView& view;
    /// This Pod has to be looked at.
    std::function<void(const std::string& key)> changed;
    /// Nothing waits to be looked at.
    std::function<bool()> idle;
    /// These policies' counts have changed.
    std::function<void(const std::set<api::PolicyKey>&)> counted;
  };
  explicit MissedPods(Needs needs) : needs_(std::move(needs)) {}

  /// Follows Pods in exactly these namespaces from now on.
  void watch(const std::set<std::string>& namespaces);
  /// A policy of this namespace ("" = any) changed: look at every Pod there again.
  void look_again(const std::string& ns);
  /// The term is over: watches end, everything is forgotten.
  void forget();

  Verdict reconcile(const std::string& key, std::stop_token stop);

  /// nullopt until every namespace has been looked at in this term.
  [[nodiscard]] std::optional<unsigned> count(const api::PolicyKey& policy) const;
  [[nodiscard]] std::size_t total() const;

 private:
  struct Missed {
    std::string uid;
    std::set<api::PolicyKey> policies;
  };
  [[nodiscard]] kube::Object find(const std::string& key) const;
  Verdict clear(const std::string& key);
  void tell(const kube::Json& pod, const std::set<api::PolicyKey>& policies);

  const Needs needs_;
  mutable std::mutex mutex_;
  bool watching_ = false;                                             // watch() has been called in this term
  std::map<std::string, std::unique_ptr<kube::Informer>> informers_;  // by namespace
  std::map<std::string, Missed> missed_;                              // by Pod
};

}  // namespace ambassador::controller
