// Everything that the operator does without being asked by the API server: resolves policies' backends and
// writes their status, keeps the configuration of injected Pods current, applies the `selected` webhook's
// entry, reports what slipped past. Every replica keeps the caches; one of them, elected by a Lease, acts.
//
// Called by operator/app: construct (after the ClusterView, before its start()), start(), stop(). Threads:
// all members may be called by every thread, but start() and stop() by one at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/dns/resolver.hpp"
#include "operator/admission/cluster_view.hpp"
#include "operator/controller/name_watch.hpp"
#include "operator/kube/client.hpp"

namespace ambassador::metrics {
class Metrics;
}

namespace ambassador::controller {

struct ControllerOptions {
  std::string name_space;  // the operator's own
  std::string identity;    // unique among replicas: the Pod's name
  std::string lease = "ambassador-operator";
  /// As the ClusterView's: the namespaces whose policies and Pods count; empty = all.
  std::vector<std::string> watch_namespaces;

  // The `selected` webhook: its configuration's name, whom it calls, and where the admin's exclusions stand.
  std::string selected_webhook;
  std::string annotated_webhook;
  std::string service;  // in name_space
  std::chrono::seconds webhook_timeout{5};
  /// PEM for caBundle; nullopt: not known yet, then no entry is applied; "": leave the field to others
  /// (cert-manager).
  std::function<std::optional<std::string>()> ca_bundle;

  /// How DNS is asked.
  dns::Options dns;
  /// In place of DNS, for tests; empty = DNS.
  LookupFactory lookup;
  /// Pods patched at a time: enough for 5 s over some thousand Pods, and no burden on the API server.
  unsigned pod_workers = 8;
  /// Between two writes of one policy's status.
  std::chrono::milliseconds status_interval{1000};
  // Lease times; see kube/leader.hpp.
  std::chrono::milliseconds lease_duration{std::chrono::seconds(15)};
  std::chrono::milliseconds renew_deadline{std::chrono::seconds(10)};
  std::chrono::milliseconds retry_period{std::chrono::seconds(2)};
};

class Controller {
 public:
  /// `view` is shared with admission, outlives this, and is stopped before this is destroyed (it calls
  /// handlers of ours). `metrics` may be null.
  Controller(const kube::Client& client, admission::ClusterView& view, ControllerOptions options,
             metrics::Metrics* metrics);
  ~Controller();  // stops
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Begins to fill its caches and to stand for election. view.start() may come before or after.
  void start();
  /// Finishes what is being written, releases the Lease, ends every thread.
  void stop();

  /// Its own caches (StatefulSets, Services, EndpointSlices, injected Pods) have been listed once; never
  /// falls back.
  [[nodiscard]] bool has_synced() const;
  [[nodiscard]] bool is_leader() const;
  /// ca_bundle() gives another answer now.
  void ca_bundle_changed();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the scrape, which may be under way at the end
};

}  // namespace ambassador::controller
