#include "operator/discovery/resolve.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador;
using namespace ambassador::discovery;
using nlohmann::json;

namespace {

// The seed's own StatefulSet and Service.
json redis_set() {
  return json::parse(R"({"metadata": {"name": "redis-st", "namespace": "shop"}, "spec": {
    "serviceName": "redis-svc", "replicas": 2,
    "template": {"spec": {"containers": [{"name": "redis", "ports": [{"containerPort": 6379, "name": "redis"}]}]}}}})");
}

json redis_service() {
  return json::parse(R"({"metadata": {"name": "redis-svc", "namespace": "shop"}, "spec": {
    "clusterIP": "None", "ports": [{"port": 6379, "name": "redis-port", "targetPort": 6379}]}})");
}

/// A policy in namespace shop with one listener and one upstream, and what there is in the cluster.
struct World {
  api::Policy policy;
  json set = redis_set();
  json service = redis_service();
  bool set_exists = true;
  bool service_exists = true;
  std::set<std::string> ready;
  std::map<std::string, std::uint16_t> endpoint_ports;
  std::optional<ResolvedListener> previous;

  explicit World(decltype(api::Upstream::target) target) {
    policy.key = {"shop", "shop-data"};
    policy.listeners.resize(1);
    policy.listeners[0].name = "cache";
    policy.listeners[0].upstreams = {{{}, std::move(target)}};
  }

  ResolvedListener look() {
    const auto& listener = policy.listeners[0];
    auto found = resolve({.policy = policy,
                          .listener = listener,
                          .choice = upstream_choices(listener).at(0),
                          .cluster_domain = "cluster.local",
                          .stateful_set = set_exists ? &set : nullptr,
                          .service = service_exists ? &service : nullptr,
                          .ready_pods = ready,
                          .endpoint_ports = endpoint_ports,
                          .previous = previous ? &*previous : nullptr});
    previous = found;
    return found;
  }
};

World by_name() {
  return World(api::StatefulSetReference{"", "redis-st", "redis-port"});
}

std::vector<std::string> names(const ResolvedListener& listener) {
  std::vector<std::string> all;
  for (const auto& backend : listener.backends) all.push_back(backend.name);
  return all;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the seed's StatefulSet gives the names that stand in the seed's REDIS_SERVERS") {
  auto world = by_name();
  world.ready = {"redis-st-0"};
  world.policy.listeners[0].weights = {{"redis-st-1", 4}};
  const auto listener = world.look();
  CHECK(listener.reason.empty());
  REQUIRE(listener.backends.size() == 2);
  CHECK(listener.backends[0].ring_name == "redis-st-0.redis-svc.shop.svc.cluster.local:6379");
  CHECK(listener.backends[0].host == "redis-st-0.redis-svc.shop.svc.cluster.local");
  CHECK(listener.backends[0].port == 6379);
  CHECK(listener.backends[0].ready);
  CHECK(listener.backends[0].weight == 1);
  CHECK(listener.backends[0].source == "StatefulSet shop/redis-st");
  CHECK_FALSE(listener.backends[1].ready);
  CHECK(listener.backends[1].weight == 4);
}

TEST_CASE("a third ordinal joins when its Pod is Ready, and stays when it is not any more") {
  auto world = by_name();
  CHECK(names(world.look()) == Names{"redis-st-0", "redis-st-1"});
  world.set["spec"]["replicas"] = 3;
  CHECK(names(world.look()) == Names{"redis-st-0", "redis-st-1"});
  world.ready = {"redis-st-2"};
  CHECK(names(world.look()) == Names{"redis-st-0", "redis-st-1", "redis-st-2"});
  world.ready.clear();
  CHECK(names(world.look()) == Names{"redis-st-0", "redis-st-1", "redis-st-2"});
  world.set["spec"]["replicas"] = 2;
  CHECK(names(world.look()) == Names{"redis-st-0", "redis-st-1"});
}

TEST_CASE("ordinals are counted from spec.ordinals.start") {
  auto world = by_name();
  world.set["spec"]["ordinals"] = {{"start", 9}};
  CHECK(names(world.look()) == Names{"redis-st-9", "redis-st-10"});
}

TEST_CASE("another StatefulSet under the same listener starts its own membership") {
  auto world = by_name();
  world.look();
  std::get<api::StatefulSetReference>(world.policy.listeners[0].upstreams[0].target).name = "redis-new";
  world.set["metadata"]["name"] = "redis-new";
  world.set["spec"]["replicas"] = 3;
  CHECK(names(world.look()) == Names{"redis-new-0", "redis-new-1", "redis-new-2"});
}

TEST_CASE("a port by name is the Service's, and leads to the number on the Pod") {
  auto world = by_name();
  auto& port = world.service["spec"]["ports"][0];
  port = {{"port", 80}, {"name", "redis-port"}, {"targetPort", "redis"}};
  CHECK(world.look().backends.at(0).port == 6379);  // through the container's port name
  port["targetPort"] = "other";
  CHECK(world.look().reason == kPortNotFound);
  world.endpoint_ports = {{"redis-port", 7000}};
  CHECK(world.look().backends.at(0).port == 7000);  // as EndpointSlices say
  port.erase("targetPort");
  CHECK(world.look().backends.at(0).port == 80);
}

TEST_CASE("what is missing or wrong is a reason and a way out, and keeps the members") {
  struct Row {
    const char* what;
    void (*change)(World&);
    std::string_view reason;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"no set", [](World& w) { w.set_exists = false; }, kRefNotFound,
       "StatefulSet shop/redis-st does not exist"},
      {"no service", [](World& w) { w.service_exists = false; }, kRefNotFound,
       "create it with clusterIP: None"},
      {"no serviceName", [](World& w) { w.set["spec"].erase("serviceName"); }, kRefNotFound,
       "no spec.serviceName"},
      {"not headless", [](World& w) { w.service["spec"]["clusterIP"] = "10.0.0.1"; }, kServiceNotHeadless,
       "is not headless"},
      {"no such name",
       [](World& w) {
         std::get<api::StatefulSetReference>(w.policy.listeners[0].upstreams[0].target).port = "pg";
       },
       kPortNotFound, "has no TCP port pg: give one of its ports (redis-port (6379))"},
      {"no such number",
       [](World& w) {
         std::get<api::StatefulSetReference>(w.policy.listeners[0].upstreams[0].target).port =
             std::uint16_t{7};
       },
       kPortNotFound, "has no TCP port 7"},
      {"the Service's number",
       [](World& w) {
         w.service["spec"]["ports"][0]["port"] = 80;
         std::get<api::StatefulSetReference>(w.policy.listeners[0].upstreams[0].target).port =
             std::uint16_t{80};
       },
       kPortNotFound, "its Pods listen on 6379: give that, or the port's name"},
      {"consent withdrawn",
       [](World& w) { w.service["metadata"]["namespace"] = w.set["metadata"]["namespace"] = "data"; },
       kRefNotPermitted, "kubectl annotate service -n shop redis-svc ambassador.dev/allowed-namespaces=shop"},
  }));
  auto world = by_name();
  world.look();
  row.change(world);
  const auto listener = world.look();
  INFO(row.what << ": " << listener.message);
  CHECK(listener.reason == row.reason);
  CHECK_THAT(listener.message, Catch::Contains(row.says));
  CHECK(names(listener) == Names{"redis-st-0", "redis-st-1"});
}

TEST_CASE("a StatefulSet without replicas has no backends and says so") {
  auto world = by_name();
  world.set["spec"]["replicas"] = 0;
  const auto listener = world.look();
  CHECK(listener.reason == kNoAddress);
  CHECK_THAT(listener.message, Catch::Contains("scale it up"));
}

TEST_CASE("another namespace's Service needs its owner's consent") {
  json service = redis_service();
  const api::PolicyKey shop{"shop", "p"};
  const api::PolicyKey other{"checkout", "p"};
  const api::PolicyKey cluster{"", "p"};
  CHECK(permitted(shop, service));
  CHECK_FALSE(permitted(other, service));
  CHECK_FALSE(permitted(cluster, service));
  auto& list = service["metadata"]["annotations"]["ambassador.dev/allowed-namespaces"];
  list = "shop, checkout ";
  CHECK(permitted(other, service));
  CHECK_FALSE(permitted({"check", "p"}, service));
  CHECK_FALSE(permitted(cluster, service));
  list = "*";
  CHECK(permitted(other, service));
  CHECK(permitted(cluster, service));
  list = "";
  CHECK_FALSE(permitted(other, service));
}

TEST_CASE("a Service is one backend, by its name in DNS") {
  World world(api::ServiceReference{"", "pg-dev", std::uint16_t{5432}});
  world.service = json::parse(R"({"metadata": {"name": "pg-dev", "namespace": "shop"}, "spec": {
    "clusterIP": "10.0.0.7", "ports": [{"port": 5432, "name": "pg", "targetPort": 15432}]}})");
  world.ready = {"pg-dev-x"};
  const auto listener = world.look();
  REQUIRE(listener.backends.size() == 1);
  CHECK(listener.backends[0].ring_name == "pg-dev.shop.svc.cluster.local:5432");
  CHECK(listener.backends[0].ready);
  world.service["spec"]["clusterIP"] = "None";  // headless: the Pod's port counts
  std::get<api::ServiceReference>(world.policy.listeners[0].upstreams[0].target).port = "pg";
  CHECK(world.look().backends.at(0).port == 15432);
}

TEST_CASE("an ExternalName leads to any port") {
  World world(api::ServiceReference{"", "aws", std::uint16_t{5432}});
  world.service =
      json::parse(R"({"metadata": {"name": "aws", "namespace": "shop"}, "spec": {"type": "ExternalName",
    "externalName": "db.example.com"}})");
  const auto listener = world.look();
  CHECK(listener.reason.empty());
  CHECK(listener.backends.at(0).host == "aws.shop.svc.cluster.local");
  CHECK(listener.backends.at(0).ready);
}

TEST_CASE("hosts need no look-up") {
  World world(std::vector<api::Host>{
      {"10.0.0.9", 6379, "", 2}, {"fd00::1", 6380, "b", 1}, {"redis.example", 1, "", 1}});
  auto listener = world.look();
  REQUIRE(listener.backends.size() == 3);
  CHECK(listener.backends[0].ring_name == "10.0.0.9:6379");
  CHECK(listener.backends[0].address == "10.0.0.9:6379");
  CHECK(listener.backends[0].weight == 2);
  CHECK(listener.backends[1].ring_name == "b");
  CHECK(listener.backends[1].address == "[fd00::1]:6380");
  CHECK(names_to_resolve(listener) == Names{"redis.example"});
  apply_addresses(listener, {}, "now");
  CHECK(listener.reason.empty());
  CHECK(listener.backends[2].address.empty());
}

TEST_CASE("DNS answers become addresses, and the last good one stays") {
  auto world = by_name();
  auto listener = world.look();
  const auto hosts = names_to_resolve(listener);
  REQUIRE(hosts.size() == 2);

  apply_addresses(listener, {}, "t0");
  CHECK(listener.reason == kNoAddress);
  CHECK_THAT(listener.message, Catch::Contains("DNS gives no answer for redis-st-0.redis-svc"));
  CHECK(listener.resolved_at.empty());

  world.previous = listener;
  listener = world.look();
  apply_addresses(listener, {{hosts[0], {"10.1.2.4", "10.1.2.3"}}, {hosts[1], {"10.1.2.5"}}}, "t1");
  CHECK(listener.reason.empty());
  CHECK(listener.message.empty());
  CHECK(listener.backends[0].address == "10.1.2.3:6379");
  CHECK(listener.resolved_at == "t1");

  world.previous = listener;
  listener = world.look();
  apply_addresses(listener, {{hosts[0], {"10.1.2.3"}}, {hosts[1], {"10.1.2.5"}}}, "t2");
  CHECK(listener == *world.previous);

  listener = world.look();
  world.previous->resolved_at = "t1";
  apply_addresses(listener, {{hosts[0], {}}, {hosts[1], {"10.1.2.6"}}}, "t3");
  CHECK(listener.backends[0].address == "10.1.2.3:6379");
  CHECK(listener.backends[1].address == "10.1.2.6:6379");
  CHECK(listener.resolved_at == "t3");
  CHECK_THAT(listener.message, Catch::Contains("what it said last stays in use"));
}

TEST_CASE("what a policy refers to is listed once") {
  auto world = by_name();
  world.policy.listeners.push_back(world.policy.listeners[0]);
  world.policy.listeners[1].upstreams.push_back(
      {{"a"}, api::ServiceReference{"data", "pg", std::uint16_t{1}}});
  const auto all = references(world.policy);
  REQUIRE(all.size() == 2);
  CHECK(all[0] == ObjectReference{ObjectReference::Kind::stateful_set, "shop", "redis-st"});
  CHECK(all[1] == ObjectReference{ObjectReference::Kind::service, "data", "pg"});
  CHECK(governing_service(redis_set()) == "redis-svc");
}

TEST_CASE("what status says is read back as it was written") {
  auto world = by_name();
  auto listener = world.look();
  apply_addresses(listener, {{names_to_resolve(listener)[0], {"10.1.2.3"}}}, "2026-01-01T00:00:00Z");
  const json document = {{"status", {{"listeners", json::array({to_json(listener)})}}}};
  CHECK(read_resolved(document) == std::vector{listener});
  CHECK(find(read_resolved(document), "cache", "") != nullptr);
  const auto all = read_resolved(document);
  CHECK(find(all, "cache", "production") == nullptr);
}

TEST_CASE("a status that somebody broke is read as far as it goes") {
  for (const char* text :
       {"null", "{}", R"({"status": {"listeners": 3}})", R"({"status": {"listeners": [1, {}]}})"}) {
    CHECK(read_resolved(json::parse(text)).empty());
  }
  const auto partly = read_resolved(json::parse(
      R"({"status": {"listeners": [{"name": "a", "backends": [{"name": "x"}, {"name": "y", "host": "h", "port": 1}]}]}})"));
  REQUIRE(partly.size() == 1);
  CHECK(partly[0].backends.size() == 1);
}
