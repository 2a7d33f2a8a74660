// What every replica follows, leader or not, and decides from: policies, namespaces, nodes. Admission answers
// from it alone; the leader's controllers read the same copies instead of keeping their own.
//
// Threads: everything but start(), stop() and the informers' on_change() may be called by every thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/selector.hpp"
#include "operator/inject/installation.hpp"
#include "operator/inject/known_policy.hpp"
#include "operator/kube/informer.hpp"

namespace ambassador::admission {

struct ClusterViewOptions {
  /// The namespaces whose policies and Pods count; empty = all.
  std::vector<std::string> watch_namespaces;
  /// As the flags say it; the Kubernetes versions are filled in here.
  inject::Installation installation;
};

class ClusterView {
 public:
  ClusterView(const kube::Client& client, ClusterViewOptions options);
  ~ClusterView();  // stops
  ClusterView(const ClusterView&) = delete;
  ClusterView& operator=(const ClusterView&) = delete;

  /// The informers, for handlers of one's own: register them before start().
  [[nodiscard]] kube::Informer& policies();
  [[nodiscard]] kube::Informer& cluster_policies();
  [[nodiscard]] kube::Informer& namespaces();
  [[nodiscard]] kube::Informer& nodes();

  void start();
  void stop();
  /// Every informer has listed once; never falls back.
  [[nodiscard]] bool has_synced() const;

  /// The policies that a Pod of this namespace could get: the namespace's own and every
  /// ClusterAmbassadorPolicy.
  [[nodiscard]] std::vector<inject::KnownPolicyPtr> policies_for(const std::string& ns) const;
  /// nullopt: the namespace is not known (yet).
  [[nodiscard]] std::optional<api::Labels> namespace_labels(const std::string& ns) const;
  /// The installation with the cluster's versions as last seen. Never null; another one after an upgrade of
  /// nodes or API server, so ask again for each decision.
  [[nodiscard]] std::shared_ptr<const inject::Installation> installation() const;
  /// Called on an informer's thread whenever installation() has become another one. Before start().
  void on_installation_change(std::function<void()> handler);

  /// Does this namespace count (ClusterViewOptions::watch_namespaces)?
  [[nodiscard]] bool watches(const std::string& ns) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ambassador::admission
