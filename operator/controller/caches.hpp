// The copies of cluster objects that only the controllers read; every replica keeps them, so that a new
// leader can act at once. Policies, namespaces and nodes are in admission::ClusterView.
#pragma once

#include <string>
#include <vector>

#include "operator/controller/endpoints.hpp"
#include "operator/kube/informer.hpp"

namespace ambassador::metrics {
class Sheet;
}

namespace ambassador::controller {

class Caches {
 public:
  /// @param namespaces watched; empty = all
  /// @param webhooks names of the MutatingWebhookConfigurations `selected` and `annotated`
  Caches(const kube::Client& client, const std::vector<std::string>& namespaces, const std::string& selected,
         const std::string& annotated);

  kube::Informer stateful_sets;
  kube::Informer services;
  kube::Informer slices;  // index "service": "namespace/name"
  kube::Informer pods;    // the injected ones
  kube::Informer selected;
  kube::Informer annotated;

  void start();
  void stop();
  [[nodiscard]] bool has_synced() const;
  [[nodiscard]] Endpoints endpoints(const std::string& ns, const std::string& service) const;
  void collect(metrics::Sheet& sheet) const;

 private:
  [[nodiscard]] std::vector<const kube::Informer*> all() const;
};

}  // namespace ambassador::controller
