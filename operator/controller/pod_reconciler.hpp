// One injected Pod: is its configuration what it would get now? If not, patch the annotations that are ours.
// Called by the workers of the queue "pod"; keys are "namespace/name".
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "operator/admission/cluster_view.hpp"
#include "operator/controller/acting.hpp"
#include "operator/controller/caches.hpp"
#include "operator/controller/pod_table.hpp"
#include "operator/controller/workers.hpp"

namespace ambassador::controller {

class PodReconciler {
 public:
  struct Needs {
    const Acting& acting;
    admission::ClusterView& view;
    const Caches& caches;
    PodTable& table;
    /// These policies' sums of Pods have changed.
    std::function<void(const std::set<api::PolicyKey>&)> counted;
  };
  explicit PodReconciler(Needs needs) : needs_(std::move(needs)) {}

  Verdict reconcile(const std::string& key, const std::stop_token& stop);
  /// At the beginning of a term: sums the Pod up without telling anybody. True when it wants a patch.
  bool count(const kube::Json& pod);

  [[nodiscard]] std::uint64_t patches() const { return patches_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  struct Look {
    PodVerdict verdict;
    std::vector<std::pair<std::string, std::string>> wanted_annotations;
  };
  /// nullopt: nothing to follow (not injected, or ended).
  [[nodiscard]] std::optional<Look> look(const kube::Json& pod) const;
  Verdict patch(const std::string& key, const kube::Json& pod,
                const std::vector<std::pair<std::string, std::string>>& annotations,
                const std::stop_token& stop);
  void tell(const kube::Json& pod, const PodVerdict& before, const PodVerdict& now);

  const Needs needs_;
  std::atomic<std::uint64_t> patches_{0};
  std::atomic<std::uint64_t> failures_{0};
};

/// Its condition Ready is True.
bool is_ready(const kube::Json& pod);
/// Succeeded or Failed: nothing will run in it again.
bool has_ended(const kube::Json& pod);

}  // namespace ambassador::controller
