#include "operator/status/status.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador;
using namespace ambassador::status;
using nlohmann::json;

namespace {

json document() {
  return json::parse(R"({"apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy",
    "metadata": {"name": "shop-data", "namespace": "shop", "generation": 3},
    "spec": {"listeners": [
      {"name": "cache", "protocol": "Redis", "port": 6380, "upstreams": [{"service": {"name": "r", "port": 1}}]},
      {"name": "raw", "protocol": "TCP", "port": 6381, "upstreams": [{"service": {"name": "r", "port": 1}}]}]}})");
}

discovery::ResolvedListener listener(const std::string& name, const std::string& address) {
  discovery::ResolvedListener made;
  made.name = name;
  made.backends = {
      {"r", "r.shop.svc.cluster.local", 1, "r.shop.svc.cluster.local:1", 1, address, true, "Service shop/r"}};
  if (address.empty()) {
    made.reason = discovery::kNoAddress;
    made.message = "DNS gives no answer for r";
  }
  return made;
}

struct World {
  json policy = document();
  std::vector<discovery::ResolvedListener> listeners = {listener("cache", "10.0.0.1:1"),
                                                        listener("raw", "10.0.0.1:1")};
  bool resolved = true;
  std::optional<discovery::UsedUpstreams> used;
  PodCounts pods{12, 11, 10, 1, 9};
  std::vector<std::string> conflicts;
  json previous;
  std::string now = "2026-01-01T00:00:00Z";

  [[nodiscard]] json status() const {
    const auto parsed = api::parse_policy(policy);
    return compute_status({parsed, listeners, resolved, used, pods, std::nullopt, conflicts, previous, now});
  }
  /// "True Ready", as status and reason of a condition; "absent" where it is not there.
  [[nodiscard]] std::string condition(const std::string& type) const {
    const json all = status();
    for (const auto& one : all["conditions"]) {
      if (one["type"] == type)
        return one["status"].get<std::string>() + " " + one["reason"].get<std::string>();
    }
    return "absent";
  }
};

}  // namespace

TEST_CASE("a policy whose listeners all have an address is Ready") {
  const World world;
  CHECK(world.condition("Ready") == "True Ready");
  CHECK(world.condition("Accepted") == "True Accepted");
  CHECK(world.condition("ResolvedRefs") == "True ResolvedRefs");
  CHECK(world.condition("Reconciling") == "absent");
  CHECK(world.condition("Stalled") == "absent");
  const json status = world.status();
  CHECK(status["observedGeneration"] == 3);
  CHECK(status["summary"] == json{{"protocols", "Redis,TCP"}, {"backends", "1/1"}, {"pods", "11/12"}});
  CHECK(status["pods"] ==
        json{{"selected", 12}, {"injected", 11}, {"upToDate", 10}, {"stale", 1}, {"ready", 9}});
  CHECK(status["listeners"][0]["backends"][0]["address"] == "10.0.0.1:1");
}

TEST_CASE("at first sight Ready is Unknown and Reconciling") {
  World world;
  world.resolved = false;
  world.listeners.clear();
  CHECK(world.condition("Ready") == "Unknown Pending");
  CHECK(world.condition("Accepted") == "True Accepted");
  CHECK(world.condition("Reconciling") == "True Pending");
}

TEST_CASE("a policy that is not accepted is Stalled, with its problem as the message") {
  World world;
  world.policy["spec"]["listeners"][0]["protocol"] = "MySQL";
  CHECK(world.condition("Accepted") == "False NotInThisVersion");
  CHECK(world.condition("Ready") == "False NotInThisVersion");
  CHECK(world.condition("ResolvedRefs") == "Unknown NotAccepted");
  CHECK(world.condition("Stalled") == "True NotInThisVersion");
  CHECK_THAT(world.status()["conditions"][0]["message"].get<std::string>(),
             Catch::Contains("spec.listeners[0].protocol"));
}

TEST_CASE("a reference that is not permitted waits for a person, one that is missing may come by itself") {
  World world;
  world.listeners[1].reason = discovery::kRefNotPermitted;
  world.listeners[1].message = "ask the owner";
  CHECK(world.condition("ResolvedRefs") == "False RefNotPermitted");
  CHECK(world.condition("Ready") == "False RefNotPermitted");
  CHECK(world.condition("Stalled") == "True RefNotPermitted");
  CHECK(world.status()["conditions"][2]["message"] == "listener raw: ask the owner");
  world.listeners[1].reason = discovery::kRefNotFound;
  CHECK(world.condition("Reconciling") == "True RefNotFound");
  CHECK(world.condition("Stalled") == "absent");
}

TEST_CASE("what no Pod of the namespace uses decides about no condition, and is shown all the same") {
  World world;
  world.listeners[0].environment = "production";
  world.listeners[0].reason = discovery::kRefNotPermitted;
  world.listeners[0].backends.clear();
  world.used = {{"cache", "development"}, {"raw", ""}};
  CHECK(world.condition("ResolvedRefs") == "True ResolvedRefs");
  CHECK(world.condition("Ready") == "True Ready");
  CHECK(world.status()["listeners"].size() == 2);
  world.used->emplace("cache", "production");
  CHECK(world.condition("ResolvedRefs") == "False RefNotPermitted");
}

TEST_CASE("a listener without any address makes the policy not Ready, though its references are fine") {
  World world;
  world.listeners[1] = listener("raw", "");
  CHECK(world.condition("ResolvedRefs") == "True ResolvedRefs");
  CHECK(world.condition("Ready") == "False NoAddress");
  CHECK(world.condition("Reconciling") == "True NoAddress");
}

TEST_CASE("backend health and stale Pods never flip Ready") {
  World world;
  for (auto& one : world.listeners) one.backends[0].ready = false;
  world.pods.stale = 11;
  CHECK(world.condition("Ready") == "True Ready");
  CHECK(world.status()["summary"]["backends"] == "0/1");
}

TEST_CASE("policies that differ on a Pod are a condition while they do") {
  World world;
  CHECK(world.condition("Conflicted") == "absent");
  world.conflicts = {"proxy.logLevel differs"};
  CHECK(world.condition("Conflicted") == "True PoliciesDiffer");
  CHECK(world.condition("Ready") == "True Ready");
}

TEST_CASE("a status that says nothing new is the same, byte for byte") {
  World world;
  world.previous = world.status();
  world.now = "2026-01-02T00:00:00Z";
  CHECK(world.status().dump() == world.previous.dump());
}

TEST_CASE("a transition time changes with the status alone") {
  World world;
  world.previous = world.status();
  world.now = "2026-01-02T00:00:00Z";
  world.policy["metadata"]["generation"] = 4;
  json status = world.status();
  CHECK(status["conditions"][0]["lastTransitionTime"] == "2026-01-01T00:00:00Z");
  CHECK(status["conditions"][0]["observedGeneration"] == 4);
  world.listeners[0] = listener("cache", "");
  status = world.status();
  CHECK(status["conditions"][0]["lastTransitionTime"] == "2026-01-02T00:00:00Z");
  CHECK(status["conditions"][2]["lastTransitionTime"] == "2026-01-01T00:00:00Z");
}

TEST_CASE("messages stay within what the CRD takes, and between characters") {
  World world;
  world.listeners.clear();
  for (int i = 0; i < 200; ++i) {
    auto one = listener("l" + std::to_string(i), "");
    one.message = std::string(50, 'x') + "\xc3\xa4";
    world.listeners.push_back(one);
  }
  const auto message = world.status()["conditions"][0]["message"].get<std::string>();
  CHECK(message.size() <= 1024);
  CHECK_THAT(message, Catch::Contains("more"));
  CHECK_NOTHROW(world.status().dump());
}

TEST_CASE("a broken previous status is no trouble") {
  World world;
  for (const char* text : {"3", "[]", R"({"conditions": 3})", R"({"conditions": [1, {"type": "Ready"}]})"}) {
    world.previous = json::parse(text);
    CHECK(world.condition("Ready") == "True Ready");
  }
}
