#include "operator/admission/cluster_view.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/log/log.hpp"
#include "operator/admission/versions.hpp"

namespace ambassador::admission {

namespace {

/// An API server is upgraded now and then; nodes are followed.
constexpr std::chrono::minutes kVersionInterval{5};
constexpr std::chrono::seconds kVersionRetry{2};

kube::InformerOptions follow(const kube::Resource& resource, std::vector<std::string> namespaces = {}) {
  kube::InformerOptions options{.resource = resource};
  options.namespaces = std::move(namespaces);
  options.on_error = [plural = std::string(resource.plural)](const kube::ApiError& error) {
    log::warning("resource not followed", {{"resource", plural}, {"why", error.text()}});
  };
  return options;
}

/// Only what is read: names and labels of namespaces, versions of nodes. There may be thousands.
void keep_labels(kube::Json& object) {
  kube::Json slim = {{"metadata",
                      {{"name", kube::name_of(object)},
                       {"resourceVersion", kube::resource_version_of(object)},
                       {"labels", kube::labels_of(object)}}}};
  object = std::move(slim);
}
void keep_version(kube::Json& node) {
  const auto* unschedulable = kube::at(node, {"spec", "unschedulable"});
  kube::Json slim = {
      {"metadata", {{"name", kube::name_of(node)}, {"resourceVersion", kube::resource_version_of(node)}}},
      {"spec", {{"unschedulable", unschedulable == nullptr ? kube::Json(false) : *unschedulable}}},
      {"status",
       {{"nodeInfo",
         {{"kubeletVersion", kube::string_at(node, {"status", "nodeInfo", "kubeletVersion"})}}}}}};
  node = std::move(slim);
}

}  // namespace

class ClusterView::Impl {
 public:
  Impl(const kube::Client& client, ClusterViewOptions options)
      : client_(client),
        watch_namespaces(std::move(options.watch_namespaces)),
        policies(client, follow(kube::resources::policies, watch_namespaces)),
        cluster_policies(client, follow(kube::resources::cluster_policies)),
        namespaces(client, slim(follow(kube::resources::namespaces), keep_labels)),
        nodes(client, slim(follow(kube::resources::nodes), keep_version)),
        installation_(std::make_shared<const inject::Installation>(std::move(options.installation))) {
    const auto know = [this](const kube::Object& before, const kube::Object& after) { learn(before, after); };
    policies.on_change(know);
    cluster_policies.on_change(know);
    nodes.on_change([this](const kube::Object&, const kube::Object&) { look_at_nodes(); });
  }

  void start() {
    for (auto* informer : {&policies, &cluster_policies, &namespaces, &nodes}) informer->start();
    thread_ = std::jthread([this](std::stop_token stop) { ask_version(std::move(stop)); });
  }
  void stop() {
    for (auto* informer : {&policies, &cluster_policies, &namespaces, &nodes}) informer->stop();
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }

  std::vector<inject::KnownPolicyPtr> policies_for(const std::string& ns) const {
    const std::lock_guard lock(mutex_);
    std::vector<inject::KnownPolicyPtr> found;
    for (const auto& scope : {ns, std::string()}) {
      const auto known = known_.find(scope);
      if (known == known_.end()) continue;
      for (const auto& [name, policy] : known->second) found.push_back(policy);
    }
    return found;
  }

  std::shared_ptr<const inject::Installation> installation() const {
    const std::lock_guard lock(mutex_);
    return installation_;
  }

 private:
  static kube::InformerOptions slim(kube::InformerOptions options, void (*transform)(kube::Json&)) {
    options.transform = transform;
    return options;
  }

  /// Parsed once per change and not once per Pod.
  void learn(const kube::Object& before, const kube::Object& after) {
    const kube::Json& document = after ? *after : *before;
    const auto ns = kube::namespace_of(document);
    const auto name = kube::name_of(document);
    auto known = after ? inject::know_policy(*after) : nullptr;
    const std::lock_guard lock(mutex_);
    if (known) {
      known_[ns][name] = std::move(known);
      return;
    }
    const auto scope = known_.find(ns);
    if (scope == known_.end()) return;
    scope->second.erase(name);
    if (scope->second.empty()) known_.erase(scope);
  }

  void look_at_nodes() {
    const auto oldest = oldest_minor(nodes.store().list());
    change([&](inject::Installation& installation) { installation.oldest_node_minor = oldest; });
  }

  void ask_version(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    while (!stop.stop_requested()) {
      const auto version = client_.get_path("/version", {.timeout = kVersionRetry, .stop = stop});
      if (version.ok()) {
        const auto minor = minor_of(kube::string_at(**version, {"gitVersion"}));
        change([&](inject::Installation& installation) { installation.api_server_minor = minor; });
      }
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, version.ok() ? kVersionInterval : std::chrono::seconds(kVersionRetry),
                     [] { return false; });
    }
  }

  template <class Edit>
  void change(Edit edit) {
    {
      const std::lock_guard lock(mutex_);
      auto next = std::make_shared<inject::Installation>(*installation_);
      edit(*next);
      if (next->api_server_minor == installation_->api_server_minor &&
          next->oldest_node_minor == installation_->oldest_node_minor) {
        return;
      }
      installation_ = std::move(next);
    }
    for (const auto& handler : handlers) handler();
  }

  const kube::Client& client_;

 public:
  const std::vector<std::string> watch_namespaces;
  kube::Informer policies;
  kube::Informer cluster_policies;
  kube::Informer namespaces;
  kube::Informer nodes;
  std::vector<std::function<void()>> handlers;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, inject::KnownPolicyPtr>> known_;  // namespace -> name
  std::shared_ptr<const inject::Installation> installation_;
  std::jthread thread_;
};

ClusterView::ClusterView(const kube::Client& client, ClusterViewOptions options)
    : impl_(std::make_unique<Impl>(client, std::move(options))) {}
ClusterView::~ClusterView() {
  stop();
}
kube::Informer& ClusterView::policies() {
  return impl_->policies;
}
kube::Informer& ClusterView::cluster_policies() {
  return impl_->cluster_policies;
}
kube::Informer& ClusterView::namespaces() {
  return impl_->namespaces;
}
kube::Informer& ClusterView::nodes() {
  return impl_->nodes;
}
void ClusterView::start() {
  impl_->start();
}
void ClusterView::stop() {
  impl_->stop();
}

bool ClusterView::has_synced() const {
  return impl_->policies.has_synced() && impl_->cluster_policies.has_synced() &&
         impl_->namespaces.has_synced() && impl_->nodes.has_synced();
}

std::vector<inject::KnownPolicyPtr> ClusterView::policies_for(const std::string& ns) const {
  return impl_->policies_for(ns);
}

std::optional<api::Labels> ClusterView::namespace_labels(const std::string& ns) const {
  const auto found = impl_->namespaces.store().get(ns);
  if (!found) return std::nullopt;
  const auto labels = kube::labels_of(*found);
  return api::Labels(labels.begin(), labels.end());
}

std::shared_ptr<const inject::Installation> ClusterView::installation() const {
  return impl_->installation();
}
void ClusterView::on_installation_change(std::function<void()> handler) {
  impl_->handlers.push_back(std::move(handler));
}

bool ClusterView::watches(const std::string& ns) const {
  const auto& names = impl_->watch_namespaces;
  return names.empty() || std::find(names.begin(), names.end(), ns) != names.end();
}

}  // namespace ambassador::admission
