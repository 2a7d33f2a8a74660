// Keeps the entry of the `selected` webhook configuration as policies and namespaces want it, and says which
// namespaces those are. Called by the worker of the queue "webhook"; there is one key.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "operator/admission/cluster_view.hpp"
#include "operator/controller/acting.hpp"
#include "operator/controller/caches.hpp"
#include "operator/controller/workers.hpp"

namespace ambassador::controller {

inline constexpr const char* kWebhookKey = "selected";

class WebhookReconciler {
 public:
  struct Needs {
    const Acting& acting;
    admission::ClusterView& view;
    const Caches& caches;
    std::string name;  // of the configuration
    std::string service;
    std::string own_namespace;
    std::chrono::seconds timeout;
    std::function<std::optional<std::string>()> ca_bundle;
    /// The namespaces with policies that select Pods, each time they were worked out.
    std::function<void(const std::set<std::string>&)> namespaces;
  };
  explicit WebhookReconciler(Needs needs) : needs_(std::move(needs)) {}

  Verdict reconcile(std::stop_token stop);
  [[nodiscard]] std::uint64_t writes() const { return writes_; }

 private:
  [[nodiscard]] std::set<std::string> concerned() const;

  const Needs needs_;
  std::atomic<std::uint64_t> writes_{0};
};

}  // namespace ambassador::controller
