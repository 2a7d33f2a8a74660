// The controllers against a real kube-apiserver: what a server in memory leaves out, namely validation,
// pruning by our CRDs, server-side apply and the compilation of matchConditions.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "operator/controller/controller.hpp"
#include "operator/controller/endpoints.hpp"
#include "operator/inject/decide.hpp"
#include "operator/kube/cpprest_transport.hpp"
#include "test/component/operator/kube/control_plane.hpp"
#include "test/unit/operator/controller/fake_names.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using kube::Json;
using test::ControlPlane;
using test::eventually;
namespace resources = kube::resources;

namespace {

std::string file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void created(const kube::Answer<kube::Object>& answer) {
  if (!answer.ok()) FAIL(answer.error().text());
}

/// The parts of a cluster that there are no controllers for here.
struct Cluster {
  kube::Client client{kube::cpprest_transport(ControlPlane::get().config())};
  test::FakeNames names;

  Cluster() {
    auto& plane = ControlPlane::get();
    for (const auto* kind : {"ambassadorpolicies", "clusterambassadorpolicies"}) {
      plane.apply(std::string("crds/ambassador.dev_") + kind + ".yaml");
    }
    REQUIRE(eventually([&] { return client.list(resources::policies, {}).ok(); }));
    created(client.create(resources::namespaces, "", {{"metadata", {{"name", "shop"}}}}));
    for (const auto* name : {"op-selected", "op-annotated"}) {
      created(client.create(resources::mutating_webhooks, "", {{"metadata", {{"name", name}}}}));
    }
    redis(2);
  }

  void redis(int replicas) {
    const Json ports = Json::parse(R"([{"name": "redis-port", "port": 6379}])");
    const auto put = [&](const kube::Resource& resource, const Json& object) {
      kube::WriteOptions options;
      options.field_manager = "test";
      created(client.apply(resource, "shop", kube::name_of(object), object, "", options));
    };
    put(resources::services,
        {{"metadata", {{"name", "redis-svc"}}}, {"spec", {{"clusterIP", "None"}, {"ports", ports}}}});
    Json set = Json::parse(R"({"metadata": {"name": "redis-st"}, "spec": {"serviceName": "redis-svc",
        "selector": {"matchLabels": {"app": "redis"}},
        "template": {"metadata": {"labels": {"app": "redis"}}, "spec": {"containers": [
            {"name": "redis", "image": "redis", "ports": [{"name": "redis-port", "containerPort": 6379}]}]}}}})");
    set["spec"]["replicas"] = replicas;
    put(resources::stateful_sets, set);
    Json endpoints = Json::array();
    for (int i = 0; i < replicas; ++i) {
      const std::string pod = "redis-st-" + std::to_string(i);
      const std::string address = "10.0.0." + std::to_string(i + 1);
      names.set(pod + ".redis-svc.shop.svc.cluster.local.", {address});
      endpoints.push_back({{"addresses", {address}},
                           {"targetRef", {{"kind", "Pod"}, {"name", pod}, {"namespace", "shop"}}},
                           {"conditions", {{"ready", true}, {"serving", true}}}});
    }
    put(resources::endpoint_slices,
        {{"metadata", {{"name", "redis-svc-1"}, {"labels", {{controller::kServiceNameLabel, "redis-svc"}}}}},
         {"addressType", "IPv4"},
         {"endpoints", endpoints},
         {"ports", ports}});
  }

  Json policy() const { return **client.get(resources::policies, "shop", "redis"); }
  std::string condition(const std::string& type) const {
    const auto document = policy();
    const Json* conditions = kube::at(document, {"status", "conditions"});
    if (conditions == nullptr) return "";
    for (const auto& one : *conditions) {
      if (one["type"] == type) return one["status"];
    }
    return "";
  }
  Json webhooks() const {
    return (**client.get(resources::mutating_webhooks, "", "op-selected")).value("webhooks", Json::array());
  }
};

controller::ControllerOptions options(test::FakeNames& names) {
  controller::ControllerOptions out;
  out.name_space = "default";
  out.identity = "test";
  out.selected_webhook = "op-selected";
  out.annotated_webhook = "op-annotated";
  out.service = "op";
  out.ca_bundle = [] { return file(ControlPlane::get().folder() + "/ca.crt"); };
  out.lookup = names.lookup();
  return out;
}

inject::Installation installation() {
  inject::Installation out;
  out.proxy_image = "proxy:1";
  return out;
}

}  // namespace

TEST_CASE("what the controllers write is taken whole by a real API server, and written once", "[real]") {
  Cluster cluster;
  admission::ClusterView view(cluster.client, {{}, installation()});
  controller::Controller controllers(cluster.client, view, options(cluster.names), nullptr);
  view.start();
  controllers.start();
  REQUIRE(eventually([&] { return controllers.is_leader(); }));

  created(cluster.client.create(resources::policies, "shop",
                                Json::parse(R"({"metadata": {"name": "redis"}, "spec": {
      "podSelector": {"matchLabels": {"app": "shop"}},
      "environments": [{"name": "staging", "clusterNames": ["stage"]}, {"name": "development"}],
      "listeners": [{"name": "cache", "protocol": "Redis", "port": 6380, "redis": {"mode": "Sharded"},
          "upstreams": [{"environments": ["staging"], "hosts": [{"host": "10.1.1.1", "port": 6379}]},
                        {"statefulSet": {"name": "redis-st", "port": "redis-port"}}]}]}})")));
  REQUIRE(eventually([&] { return cluster.condition("Ready") == "True"; }));
  const auto status = cluster.policy()["status"];
  CHECK(status["listeners"].size() == 2);
  CHECK(status["listeners"][0]["backends"].size() + status["listeners"][1]["backends"].size() == 3);

  // The webhook's entry: accepted (its CEL compiles), ours, and left alone from then on.
  REQUIRE(eventually([&] { return cluster.webhooks().size() == 1; }));
  CHECK(cluster.webhooks()[0]["namespaceSelector"]["matchExpressions"][0]["values"] == Json{"shop"});

  // A Pod as admission makes it, and its configuration after a change.
  Json pod = Json::parse(R"({"apiVersion": "v1", "kind": "Pod",
      "metadata": {"name": "app", "namespace": "shop", "labels": {"app": "shop"}},
      "spec": {"containers": [{"name": "app", "image": "app"}]}})");
  const auto made_by = installation();
  const auto decision = inject::decide({.pod = pod,
                                        .ns = "shop",
                                        .namespace_labels = {{"kubernetes.io/metadata.name", "shop"}},
                                        .policies = {inject::know_policy(cluster.policy())},
                                        .installation = made_by});
  REQUIRE(decision.outcome == inject::Outcome::injected);
  // Not through the webhook, which nobody serves here: Pods of this kind fail open.
  created(cluster.client.create(resources::pods, "shop", pod.patch(decision.patch)));
  REQUIRE(eventually([&] { return cluster.policy()["status"]["pods"]["upToDate"] == 1; }));
  const auto config = [&] {
    return kube::annotation_of(**cluster.client.get(resources::pods, "shop", "app"), "ambassador.dev/config")
        .value_or("");
  };
  CHECK(config().find("redis-st-2") == std::string::npos);
  cluster.redis(3);
  REQUIRE(eventually([&] { return config().find("redis-st-2") != std::string::npos; }));
  REQUIRE(eventually([&] { return cluster.policy()["status"]["summary"]["backends"] == "4/4"; }));

  // Nothing that we wrote was pruned or defaulted into something else: nothing is written again.
  std::this_thread::sleep_for(1500ms);
  const auto policy_version = kube::resource_version_of(cluster.policy());
  const auto webhook_generation =
      (**cluster.client.get(resources::mutating_webhooks, "", "op-selected"))["metadata"]["generation"];
  const auto pod_version = kube::resource_version_of(**cluster.client.get(resources::pods, "shop", "app"));
  std::this_thread::sleep_for(3s);  // longer than any interval of ours
  CHECK(kube::resource_version_of(cluster.policy()) == policy_version);
  CHECK((**cluster.client.get(resources::mutating_webhooks, "", "op-selected"))["metadata"]["generation"] ==
        webhook_generation);
  CHECK(kube::resource_version_of(**cluster.client.get(resources::pods, "shop", "app")) == pod_version);

  // A Pod that slipped past is found by its metadata alone.
  Json bare = pod;
  bare["metadata"]["name"] = "slipped";
  std::this_thread::sleep_for(1100ms);  // acceptance and creation are told apart by whole seconds
  created(cluster.client.create(resources::pods, "shop", bare));
  REQUIRE(eventually([&] { return cluster.policy()["status"]["pods"]["selected"] == 2; }));
  REQUIRE(eventually([&] {
    const auto events = cluster.client.list(resources::events, {"shop", "", ""});
    return events.ok() &&
           std::any_of(events->items.begin(), events->items.end(), [](const kube::Object& one) {
             return (*one)["reason"] == "NotInjected" && (*one)["regarding"]["name"] == "slipped";
           });
  }));

  created(cluster.client.remove(resources::policies, "shop", "redis"));
  REQUIRE(eventually([&] { return cluster.webhooks().empty(); }));
  CHECK(config().find("redis-st-2") != std::string::npos);
  controllers.stop();
  view.stop();
}
