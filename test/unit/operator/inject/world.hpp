// A namespace with policies and Pods, for tests of injection: build it, change it, ask what is decided.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "operator/inject/decide.hpp"
#include "operator/inject/live.hpp"

namespace ambassador::inject {

using nlohmann::json;

/// The seed's policy: redis-st over two ordinals, resolved.
inline json seed_policy() {
  return json::parse(R"({
    "apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy",
    "metadata": {"name": "shop-data", "namespace": "shop"},
    "spec": {"listeners": [{
      "name": "cache", "protocol": "Redis", "port": 6380, "env": {"url": "REDIS_URL"},
      "upstreams": [{"statefulSet": {"name": "redis-st", "port": "redis-port"}}]}]},
    "status": {"listeners": [{"name": "cache", "environment": "", "backends": [
      {"name": "redis-st-0", "host": "redis-st-0.redis-svc.shop.svc.cluster.local", "port": 6379},
      {"name": "redis-st-1", "host": "redis-st-1.redis-svc.shop.svc.cluster.local", "port": 6379}]}]}})");
}

/// A second policy, over hosts.
inline json queue_policy(const std::string& name = "queue") {
  json document = json::parse(R"({
    "apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy",
    "metadata": {"namespace": "shop"},
    "spec": {"podSelector": {"matchLabels": {"app": "shop"}}, "listeners": [{
      "name": "amqp", "protocol": "TCP", "port": 5672, "env": {"host": "AMQP_HOST", "port": "AMQP_PORT"},
      "upstreams": [{"hosts": [{"host": "rabbit.example", "port": 5672}]}]}]}})");
  document["metadata"]["name"] = name;
  return document;
}

/// A third, over a database that is logged in at with a Secret.
inline json database_policy() {
  return json::parse(R"({
    "apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy",
    "metadata": {"name": "shop-data", "namespace": "shop"},
    "spec": {"listeners": [{
      "name": "db", "protocol": "PostgreSQL", "port": 5432, "unixSocket": "Enabled",
      "env": {"url": "DATABASE_URL", "jdbcUrl": "JDBC_URL", "host": "PGHOST", "port": "PGPORT"},
      "upstreams": [{"hosts": [{"host": "pg.example", "port": 5432}]}],
      "credentials": {"secretRef": {"name": "shop-db"}},
      "tls": {"mode": "VerifyFull", "ca": {"secretRef": {"name": "company", "key": "root.pem"}}},
      "database": "shop", "pool": {"maxServerConnections": 5, "maxClients": 1000},
      "postgresql": {"authentication": "Proxy", "pooling": "Transaction"}}]}})");
}

/// The seed's client, without its twemproxy: annotated instead.
inline json seed_pod() {
  return json::parse(R"({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "ambassador", "annotations": {"ambassador.dev/inject": "true"}},
    "spec": {"containers": [{"name": "redis-client", "image": "redis"}]}})");
}

struct World {
  json pod = seed_pod();
  std::vector<json> policies = {seed_policy()};
  api::Labels namespace_labels;
  Installation installation;
  std::string operation = "CREATE";

  World() {
    installation.proxy_image = "registry.example/ambassador-proxy:0.1.0";
    installation.image_pull_policy = "IfNotPresent";
  }

  [[nodiscard]] std::vector<KnownPolicyPtr> known() const {
    std::vector<KnownPolicyPtr> all;
    for (const auto& policy : policies) all.push_back(know_policy(policy));
    return all;
  }
  [[nodiscard]] Decision decide_on(const json& document) const {
    return decide({document, "shop", namespace_labels, operation, known(), installation});
  }
  [[nodiscard]] Decision decided() const { return decide_on(pod); }
  /// The Pod after the patch.
  [[nodiscard]] json injected() const {
    json after = pod.patch(decided().patch);
    after["metadata"]["namespace"] = "shop";  // as the API server stores it
    return after;
  }
  [[nodiscard]] std::optional<LiveState> live(const json& running) const {
    return live_state({running, "shop", namespace_labels, known(), installation});
  }

  json& annotation(const std::string& name) {
    return pod["metadata"]["annotations"]["ambassador.dev/" + name];
  }
  json& listener(std::size_t policy = 0) { return policies.at(policy)["spec"]["listeners"][0]; }
};

/// The configuration in a Pod's annotation.
inline json config_of(const json& pod) {
  return json::parse(pod.at("metadata").at("annotations").at("ambassador.dev/config").get<std::string>());
}

inline const json& own_container(const json& pod) {
  for (const char* kind : {"initContainers", "containers"}) {
    if (!pod.at("spec").contains(kind)) continue;
    for (const auto& container : pod.at("spec").at(kind)) {
      if (container.at("name") == "ambassador-container") return container;
    }
  }
  throw std::runtime_error("the Pod has no ambassador: " + pod.dump());
}

/// What the API server does to a Pod between two passes: defaults, and the token's mount.
inline json defaulted(json pod) {
  for (const char* kind : {"containers", "initContainers"}) {
    if (!pod["spec"].contains(kind)) continue;
    for (auto& container : pod["spec"][kind]) {
      container["terminationMessagePath"] = "/dev/termination-log";
      if (!container.contains("imagePullPolicy")) container["imagePullPolicy"] = "Always";
      container["volumeMounts"].push_back(
          {{"name", "kube-api-access-x"}, {"mountPath", "/var/run/secrets/x"}});
      if (container.contains("startupProbe")) container["startupProbe"]["httpGet"]["scheme"] = "HTTP";
    }
  }
  for (auto& volume : pod["spec"]["volumes"]) {
    if (!volume.contains("downwardAPI")) continue;
    volume["downwardAPI"]["defaultMode"] = 420;
    volume["downwardAPI"]["items"][0]["fieldRef"]["apiVersion"] = "v1";
  }
  pod["spec"]["restartPolicy"] = "Always";
  pod["spec"]["terminationGracePeriodSeconds"] = 30;
  return pod;
}

}  // namespace ambassador::inject
