// A cluster in memory with the controllers in it: an API server, DNS, admission (as a function),
// StatefulSets.
#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/controller/controller.hpp"
#include "operator/controller/endpoints.hpp"
#include "operator/inject/decide.hpp"
#include "operator/kube/timestamp.hpp"
#include "test/unit/operator/controller/fake_names.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

namespace ambassador::test {

namespace resources = kube::resources;
using namespace std::chrono_literals;

inline Json redis_listener(const std::string& stateful_set = "redis-st") {
  return Json::parse(R"({"name": "cache", "protocol": "Redis", "port": 6380, "upstreams": [
      {"statefulSet": {"name": ")" +
                     stateful_set + R"(", "port": 6379}}]})");
}

inline Json policy_document(const std::string& name, const Json& spec_more = Json::object(),
                            const std::string& ns = "shop") {
  Json spec = {{"listeners", Json::array({redis_listener()})}};
  spec.update(spec_more);
  return {{"apiVersion", "ambassador.dev/v1alpha1"},
          {"kind", "AmbassadorPolicy"},
          {"metadata", {{"name", name}, {"namespace", ns}}},
          {"spec", spec}};
}

/// One process of the operator: dies with its connections when `alive` turns false, as after kill -9.
struct Replica {
  struct Mortal final : kube::Transport {
    Mortal(std::shared_ptr<kube::Transport> inner, Replica& replica)
        : inner_(std::move(inner)), replica_(replica) {}
    Result<kube::Response> send(const kube::Request& request, std::stop_token stop) override {
      if (!replica_.alive) return Error{"replica", "dead"};
      const bool write =
          request.method != kube::Method::get && request.target.find("/leases") == std::string::npos;
      if (write && replica_.writes_left >= 0 && replica_.writes_left-- == 0) {
        if (replica_.dies_after_write) (void)inner_->send(request, stop);
        replica_.alive = false;
        return Error{"replica", "dead"};
      }
      return inner_->send(request, std::move(stop));
    }
    Result<kube::Response> stream(const kube::Request& request, const kube::LineHandler& on_line,
                                  std::stop_token stop) override {
      if (!replica_.alive) return Error{"replica", "dead"};
      return inner_->stream(request, on_line, std::move(stop));
    }
    std::shared_ptr<kube::Transport> inner_;
    Replica& replica_;
  };

  Replica(FakeApiServer& server, FakeNames& names, const std::string& identity)
      : client([this, &server]() -> std::shared_ptr<kube::Transport> {
          return std::make_shared<Mortal>(server.factory()(), *this);
        }),
        view(client, {{}, installation()}),
        controller(client, view, options(names, identity), nullptr) {
    view.start();
    controller.start();
  }
  ~Replica() {
    controller.stop();
    view.stop();
  }

  static inject::Installation installation() {
    inject::Installation out;
    out.proxy_image = "proxy:1";
    return out;
  }
  static controller::ControllerOptions options(FakeNames& names, const std::string& identity) {
    controller::ControllerOptions out;
    out.name_space = "ops";
    out.identity = identity;
    out.selected_webhook = "op-selected";
    out.annotated_webhook = "op-annotated";
    out.service = "op";
    out.ca_bundle = [] { return "PEM"; };
    out.lookup = names.lookup();
    out.pod_workers = 2;
    out.status_interval = 100ms;
    // Long enough for a machine that is busy with other things, short enough to wait for where one is killed.
    out.lease_duration = 3000ms;
    out.renew_deadline = 2500ms;
    out.retry_period = 50ms;
    return out;
  }

  std::atomic<bool> alive{true};
  std::atomic<int> writes_left{-1};  // dies at this write; -1 = lives on
  bool dies_after_write = false;     // at it: before or after it took effect
  kube::Client client;
  admission::ClusterView view;
  controller::Controller controller;
};

struct World {
  FakeApiServer server;
  FakeNames names;

  World() {
    for (const auto* name : {"shop", "data", "ops", "kube-system"}) {
      add_namespace(name);
    }
    server.put(resources::nodes,
               {{"metadata", {{"name", "n1"}}}, {"status", {{"nodeInfo", {{"kubeletVersion", "v1.35.4"}}}}}});
    for (const auto* name : {"op-selected", "op-annotated"}) {
      server.put(resources::mutating_webhooks, {{"metadata", {{"name", name}}}});
    }
  }

  void add_namespace(const std::string& name, Json labels = Json::object()) {
    labels["kubernetes.io/metadata.name"] = name;
    server.put(resources::namespaces, {{"metadata", {{"name", name}, {"labels", labels}}}});
  }

  std::unique_ptr<Replica> replica(const std::string& identity = "a") {
    return std::make_unique<Replica>(server, names, identity);
  }

  /// A StatefulSet redis-st of `replicas` with its headless Service; the first `ready` of them are Ready and
  /// in DNS.
  void redis(int replicas, int ready, const std::string& ns = "shop",
             const Json& service_annotations = Json::object()) {
    server.put(
        resources::services,
        {{"metadata", {{"name", "redis-svc"}, {"namespace", ns}, {"annotations", service_annotations}}},
         {"spec",
          {{"clusterIP", "None"}, {"ports", Json::array({{{"name", "redis-port"}, {"port", 6379}}})}}}});
    const Json container = {{"name", "redis"},
                            {"ports", Json::array({{{"name", "redis-port"}, {"containerPort", 6379}}})}};
    server.put(resources::stateful_sets,
               {{"metadata", {{"name", "redis-st"}, {"namespace", ns}}},
                {"spec",
                 {{"serviceName", "redis-svc"},
                  {"replicas", replicas},
                  {"template", {{"spec", {{"containers", Json::array({container})}}}}}}}});
    Json endpoints = Json::array();
    for (int i = 0; i < replicas; ++i) {
      const std::string pod = "redis-st-" + std::to_string(i);
      const bool up = i < ready;
      if (up)
        names.set(pod + ".redis-svc." + ns + ".svc.cluster.local.", {"10.0.0." + std::to_string(i + 1)});
      endpoints.push_back({{"addresses", {"10.0.0." + std::to_string(i + 1)}},
                           {"targetRef", {{"kind", "Pod"}, {"name", pod}}},
                           {"conditions", {{"ready", up}, {"serving", up}, {"terminating", false}}}});
    }
    server.put(resources::endpoint_slices,
               {{"metadata",
                 {{"name", "redis-svc-1"},
                  {"namespace", ns},
                  {"labels", {{controller::kServiceNameLabel, "redis-svc"}}}}},
                {"endpoints", endpoints},
                {"ports", Json::array({{{"name", "redis-port"}, {"port", 6379}}})}});
  }

  /// A running, Ready Pod as admission lets it in, by what the API server knows of policies now.
  Json pod(const std::string& name, const Json& annotations = {{"ambassador.dev/inject", "true"}},
           const std::string& ns = "shop") {
    std::vector<inject::KnownPolicyPtr> policies;
    for (const auto* resource : {&resources::policies, &resources::cluster_policies}) {
      for (const auto& document : server.all(*resource)) policies.push_back(inject::know_policy(document));
    }
    Json pod = {{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata",
                 {{"name", name},
                  {"namespace", ns},
                  {"labels", {{"app", "shop"}}},
                  {"annotations", annotations},
                  {"creationTimestamp", kube::rfc3339(std::chrono::system_clock::now())}}},
                {"spec",
                 {{"restartPolicy", "Always"},
                  {"terminationGracePeriodSeconds", 30},
                  {"containers", Json::array({{{"name", "app"}, {"image", "app"}}})}}}};
    const auto installation = Replica::installation();
    api::Labels labels;
    for (auto& [key, value] : kube::labels_of(server.get(resources::namespaces, "", ns))) labels[key] = value;
    const auto decision = inject::decide({.pod = pod,
                                          .ns = ns,
                                          .namespace_labels = labels,
                                          .policies = policies,
                                          .installation = installation});
    INFO(decision.message);
    REQUIRE(decision.allowed());
    pod = pod.patch(decision.patch);
    pod["status"] = {{"phase", "Running"},
                     {"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})}};
    return server.put(resources::pods, pod);
  }

  Json policy(const std::string& name = "redis", const std::string& ns = "shop") const {
    return server.get(resources::policies, ns, name);
  }
  /// "True/ResolvedRefs" of a condition, "" where it is not there.
  std::string condition(const std::string& type, const std::string& name = "redis") const {
    const auto document = policy(name);
    const Json* conditions = kube::at(document, {"status", "conditions"});
    if (conditions == nullptr) return "";
    for (const auto& one : *conditions) {
      if (one["type"] == type)
        return one["status"].get<std::string>() + "/" + one["reason"].get<std::string>();
    }
    return "";
  }
  std::vector<std::string> backends(const std::string& name = "redis") const {
    const auto document = policy(name);
    std::vector<std::string> out;
    const Json* listeners = kube::at(document, {"status", "listeners"});
    if (listeners == nullptr || listeners->empty()) return out;
    for (const auto& one : listeners->front()["backends"]) out.push_back(one["name"]);
    return out;
  }
  Json counts(const std::string& name = "redis") const {
    const auto document = policy(name);
    const Json* pods = kube::at(document, {"status", "pods"});
    return pods == nullptr ? Json() : *pods;
  }
  /// The hosts' first labels in a Pod's configuration: "redis-st-0".
  std::vector<std::string> configured(const std::string& pod, const std::string& ns = "shop") const {
    const auto document = server.get(resources::pods, ns, pod);
    const auto text = kube::annotation_of(document, "ambassador.dev/config");
    std::vector<std::string> out;
    if (!text) return out;
    const auto config = Json::parse(*text);
    if (!config.contains("listeners")) return out;
    for (const auto& listener : config["listeners"]) {
      if (!listener.contains("backends")) continue;
      for (const auto& one : listener["backends"]) {
        const auto host = one["host"].get<std::string>();
        out.push_back(host.substr(0, host.find('.')));
      }
    }
    return out;
  }
  /// Writes but for the lease's and Events', as "PATCH path".
  std::vector<std::string> writes() const {
    std::vector<std::string> out;
    for (const auto& one : server.writes()) {
      if (one.path.find("/leases") != std::string::npos || one.path.find("/events") != std::string::npos)
        continue;
      out.push_back(std::string(kube::to_string(one.method)) + " " + one.path);
    }
    return out;
  }
  std::size_t count_writes(const std::string& part) const {
    std::size_t out = 0;
    for (const auto& one : writes()) out += one.find(part) == std::string::npos ? 0U : 1U;
    return out;
  }
  bool has_event(const std::string& reason, const std::string& regarding) const {
    for (const auto& one : server.all(resources::events)) {
      if (one["reason"] == reason && one["regarding"]["name"] == regarding) return true;
    }
    return false;
  }
  /// The Lease of a replica that was killed need not run out.
  void free_lease() { server.erase(resources::leases, "ops", "ambassador-operator"); }
  /// Nothing has been written for a while.
  void settle() const {
    auto before = writes().size();
    auto since = std::chrono::steady_clock::now();
    REQUIRE(eventually([&] {
      if (writes().size() != before) {
        before = writes().size();
        since = std::chrono::steady_clock::now();
      }
      return std::chrono::steady_clock::now() - since > 600ms;
    }));
  }
};

using Words = std::vector<std::string>;

}  // namespace ambassador::test
