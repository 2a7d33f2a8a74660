// The controllers as a whole against an API server in memory.
#include "operator/controller/controller.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "test/unit/operator/controller/world.hpp"

using namespace ambassador;
using namespace ambassador::test;

TEST_CASE("a policy's status names its backends with their addresses, and it is Ready") {
  World world;
  world.redis(2, 2);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  CHECK(world.condition("Accepted") == "True/Accepted");
  CHECK(world.condition("ResolvedRefs") == "True/ResolvedRefs");
  CHECK(world.backends() == Words{"redis-st-0", "redis-st-1"});
  const auto backend = world.policy()["status"]["listeners"][0]["backends"][0];
  CHECK(backend["address"] == "10.0.0.1:6379");
  CHECK(backend["ready"] == true);
  CHECK(world.count_writes("/status") == 1);  // DNS was waited for: not once without and once with addresses
  REQUIRE(eventually([&] { return world.has_event("Ready", "redis"); }));
}

TEST_CASE("what is missing is a condition, and its arrival ends it") {
  World world;
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("ResolvedRefs") == "False/RefNotFound"; }));
  CHECK(world.condition("Ready") == "False/RefNotFound");
  REQUIRE(eventually([&] { return world.has_event("RefNotFound", "redis"); }));
  world.redis(1, 0);  // there, but not in DNS yet
  REQUIRE(eventually([&] { return world.condition("Ready") == "False/NoAddress"; }));
  CHECK(world.condition("ResolvedRefs") == "True/ResolvedRefs");
  world.redis(1, 1);
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
}

TEST_CASE("a spec that is not accepted says why, and keeps the backends that running Pods use") {
  World world;
  world.redis(2, 2);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  world.pod("app");
  REQUIRE(eventually([&] { return world.counts()["injected"] == 1; }));
  auto broken = world.policy();
  broken["spec"]["listeners"][0]["port"] = 0;
  world.server.put(resources::policies, broken);
  REQUIRE(eventually([&] { return world.condition("Accepted").starts_with("False/"); }));
  CHECK(world.backends() == Words{"redis-st-0", "redis-st-1"});
  CHECK(world.configured("app") == Words{"redis-st-0", "redis-st-1"});
}

TEST_CASE("a new ordinal joins once it has been Ready, stays when it is not, and every Pod gets one patch") {
  World world;
  world.redis(2, 2);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  for (const auto* name : {"app-0", "app-1", "app-2"}) world.pod(name);
  REQUIRE(eventually([&] { return world.counts()["upToDate"] == 3; }));
  CHECK(world.count_writes("/pods/") == 0);  // what admission wrote is what live configuration wants

  world.redis(3, 2);
  world.settle();
  CHECK(world.backends() == Words{"redis-st-0", "redis-st-1"});
  CHECK(world.count_writes("/pods/") == 0);
  world.redis(3, 3);
  const Words all = {"redis-st-0", "redis-st-1", "redis-st-2"};
  for (const auto* name : {"app-0", "app-1", "app-2"}) {
    REQUIRE(eventually([&] { return world.configured(name) == all; }));
  }
  REQUIRE(eventually([&] { return world.counts()["upToDate"] == 3; }));
  world.redis(3, 1);  // two go down: no key moves
  world.settle();
  CHECK(world.backends() == all);
  CHECK(world.count_writes("/pods/") == 3);
  const auto writes = world.server.writes();
  for (const auto& one : writes) {
    if (one.path.find("/pods/") == std::string::npos) continue;
    const auto uid =
        kube::uid_of(world.server.get(resources::pods, "shop", one.path.substr(one.path.rfind('/') + 1)));
    CHECK(one.body["metadata"]["uid"] == uid);
    CHECK(one.body.size() == 1);
    CHECK(one.body["metadata"].size() == 2);  // uid and annotations, nothing else
    for (const auto& [name, value] : one.body["metadata"]["annotations"].items()) {
      CHECK((name == "ambassador.dev/config" || name == "ambassador.dev/status"));
    }
  }
  world.redis(1, 1);  // scaled down: now they leave
  REQUIRE(eventually([&] { return world.configured("app-2") == Words{"redis-st-0"}; }));
}

TEST_CASE("a restarted operator writes nothing where everything is up to date") {
  World world;
  world.redis(2, 2);
  world.server.put(resources::policies,
                   policy_document("redis", {{"podSelector", {{"matchLabels", {{"x", "y"}}}}}}));
  {
    const auto replica = world.replica();
    REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
    for (int i = 0; i < 20; ++i) world.pod("app-" + std::to_string(i), {{"ambassador.dev/policy", "redis"}});
    REQUIRE(eventually([&] { return world.counts()["upToDate"] == 20; }));
    world.settle();
  }
  world.server.forget_calls();
  const auto replica = world.replica("b");
  REQUIRE(eventually([&] { return replica->controller.is_leader() && replica->controller.has_synced(); }));
  world.settle();
  CHECK(world.writes() == Words{});
  world.redis(1, 1);  // and it does work
  REQUIRE(eventually([&] { return world.configured("app-7") == Words{"redis-st-0"}; }));
}

TEST_CASE("a status in another's hands is made right, and one that is right is not written twice a second") {
  World world;
  world.redis(1, 1);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  auto forged = world.policy();
  forged["status"]["conditions"][0]["status"] = "False";
  forged["status"]["surprise"] = "x";
  world.server.put(resources::policies, forged);
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  CHECK_FALSE(world.policy()["status"].contains("surprise"));

  world.server.forget_calls();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 40; ++i) {  // a Pod that comes and goes ready, again and again
    world.redis(1, i % 2);
    std::this_thread::sleep_for(10ms);
  }
  world.settle();
  const auto passed = std::chrono::steady_clock::now() - begin;
  CHECK(world.count_writes("/status") <=
        static_cast<std::size_t>(passed / 100ms) + 1);  // status_interval here
}

TEST_CASE("the API server away: nothing is lost, everything catches up, also past 410 Gone") {
  World world;
  world.redis(2, 2);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  world.pod("stays");
  world.pod("goes");
  REQUIRE(eventually([&] { return world.counts()["upToDate"] == 2; }));
  world.server.set_away(true);
  REQUIRE(eventually([&] { return !replica->controller.is_leader(); }));
  world.redis(1, 1);
  world.server.erase(resources::pods, "shop", "goes");
  world.server.put(resources::policies, policy_document("second"));
  world.server.compact();
  world.server.set_away(false);
  REQUIRE(eventually([&] { return world.configured("stays") == Words{"redis-st-0"}; }, 60s));
  REQUIRE(eventually([&] { return world.counts()["injected"] == 1; }));
  REQUIRE(eventually([&] { return world.condition("Ready", "second") == "True/Ready"; }));
}

TEST_CASE("killed at each write, before or after it took effect, the next replica gets to the same end") {
  struct End {
    Json status;
    Json pods = Json::array();
    Json webhooks;
  };
  const auto run = [](int dies_at, bool after) {
    World world;
    world.redis(2, 2);
    world.server.put(resources::policies, policy_document("redis"));
    auto replica = world.replica("first");
    REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
    world.pod("app-0");
    world.pod("app-1");
    REQUIRE(eventually([&] { return world.counts()["upToDate"] == 2; }));
    replica->dies_after_write = after;
    replica->writes_left = dies_at;
    auto changed = world.policy();
    changed["spec"]["podSelector"] = {{"matchLabels", {{"app", "shop"}}}};
    changed["spec"]["listeners"][0]["timeouts"] = {{"connect", "3s"}};
    world.server.put(resources::policies, changed);
    world.redis(3, 3);
    const auto done = [&] {
      return world.configured("app-0").size() == 3 && world.configured("app-1").size() == 3 &&
             world.counts()["upToDate"] == 2 && world.policy()["status"]["observedGeneration"] == 2 &&
             world.server.get(resources::mutating_webhooks, "", "op-selected").contains("webhooks");
    };
    REQUIRE(eventually([&] { return !replica->alive || done(); }));
    const bool died = !replica->alive;
    if (died) {
      world.free_lease();
      auto next = world.replica("second");
      replica.reset();
      REQUIRE(eventually(done));
      world.settle();
    }
    End end;
    end.status = world.policy()["status"];
    for (auto& one : end.status["conditions"]) one.erase("lastTransitionTime");
    for (auto& one : end.status["listeners"]) one.erase("resolvedAt");
    for (const auto& one : world.server.all(resources::pods))
      end.pods.push_back(one["metadata"]["annotations"]);
    end.webhooks = world.server.get(resources::mutating_webhooks, "", "op-selected")["webhooks"];
    return std::pair{died, end};
  };
  const auto [none, whole] = run(-1, false);
  CHECK_FALSE(none);
  int deaths = 0;
  for (int at = 0; at < 6; ++at) {
    for (const bool after : {false, true}) {
      CAPTURE(at, after);
      const auto [died, end] = run(at, after);
      deaths += died ? 1 : 0;
      CHECK(end.status == whole.status);
      CHECK(end.pods == whole.pods);
      CHECK(end.webhooks == whole.webhooks);
    }
  }
  CHECK(deaths >= 6);  // status, two Pods, the webhook and Events: the scenario has that many writes
}

TEST_CASE("who does not lead writes nothing, and takes over when the leader is gone") {
  World world;
  world.redis(1, 1);
  world.server.put(resources::policies, policy_document("redis"));
  auto first = world.replica("first");
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  auto second = world.replica("second");
  REQUIRE(eventually([&] { return second->controller.has_synced(); }));
  CHECK_FALSE(second->controller.is_leader());
  first->alive = false;  // kill -9
  world.redis(1, 0);
  REQUIRE(eventually([&] { return second->controller.is_leader(); }));
  CHECK_FALSE(first->controller.is_leader());
  REQUIRE(
      eventually([&] { return world.policy()["status"]["listeners"][0]["backends"][0]["ready"] == false; }));
}

TEST_CASE("DNS that fails later leaves the last good address") {
  World world;
  world.redis(1, 1);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  world.names.set_broken(true);
  world.redis(1, 0);  // makes it ask again
  REQUIRE(eventually([&] {
    return kube::string_at(world.policy()["status"]["listeners"][0], {"message"})
               .find("DNS gives no answer") != std::string::npos;
  }));
  CHECK(world.policy()["status"]["listeners"][0]["backends"][0]["address"] == "10.0.0.1:6379");
  CHECK(world.condition("Ready") == "True/Ready");
}

TEST_CASE("another namespace's Service needs its owner's consent, and running Pods survive its withdrawal") {
  World world;
  world.redis(1, 1, "data");
  Json spec = {{"listeners", Json::array({redis_listener()})}};
  spec["listeners"][0]["upstreams"][0]["statefulSet"]["namespace"] = "data";
  world.server.put(resources::policies, policy_document("redis", spec));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("ResolvedRefs") == "False/RefNotPermitted"; }));
  world.redis(1, 1, "data", {{"ambassador.dev/allowed-namespaces", "shop"}});
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  world.pod("app");
  world.redis(1, 1, "data");
  REQUIRE(eventually([&] { return world.condition("ResolvedRefs") == "False/RefNotPermitted"; }));
  world.settle();
  CHECK(world.configured("app") == Words{"redis-st-0"});
}

TEST_CASE("a policy deleted while Pods run: they keep their configuration, with an Event") {
  World world;
  world.redis(1, 1);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  world.pod("app");
  REQUIRE(eventually([&] { return world.counts()["injected"] == 1; }));
  REQUIRE(eventually([&] { return world.has_event("Injected", "app"); }));
  world.server.erase(resources::policies, "shop", "redis");
  REQUIRE(eventually([&] { return world.has_event("PolicyDeleted", "app"); }));
  CHECK(world.configured("app") == Words{"redis-st-0"});
  CHECK(world.count_writes("/pods/") == 0);
}

TEST_CASE("the environment is pinned at CREATE: a relabelled namespace makes Pods stale and moves none") {
  World world;
  world.redis(1, 1);
  Json spec = {{"environments", Json::array({Json::parse(R"({"name": "production",
                  "namespaceSelector": {"matchLabels": {"environment": "production"}}})"),
                                             {{"name", "development"}}})},
               {"listeners", Json::array({redis_listener()})}};
  spec["listeners"][0]["upstreams"] = Json::parse(R"([
      {"environments": ["production"], "hosts": [{"host": "10.9.9.9", "port": 6379}]},
      {"statefulSet": {"name": "redis-st", "port": 6379}}])");
  world.server.put(resources::policies, policy_document("redis", spec));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  world.pod("app");
  REQUIRE(eventually([&] { return world.counts()["upToDate"] == 1; }));
  world.add_namespace("shop", {{"environment", "production"}});
  REQUIRE(eventually([&] { return world.counts()["stale"] == 1; }));
  CHECK(world.configured("app") == Words{"redis-st-0"});
  CHECK(world.count_writes("/pods/") == 0);
}

TEST_CASE("the selected webhook asks about exactly the namespaces with a podSelector policy") {
  World world;
  const auto replica = world.replica();
  const auto namespaces = [&]() -> Json {
    const auto live = world.server.get(resources::mutating_webhooks, "", "op-selected");
    if (!live.contains("webhooks") || live["webhooks"].empty()) return Json::array();
    return live["webhooks"][0]["namespaceSelector"]["matchExpressions"].back()["values"];
  };
  const Json selector = {{"podSelector", {{"matchLabels", {{"app", "shop"}}}}}};
  world.server.put(resources::policies, policy_document("annotated-only"));
  world.server.put(resources::policies, policy_document("redis", selector));
  REQUIRE(eventually([&] { return namespaces() == Json{"shop"}; }));
  world.server.put(resources::policies, policy_document("redis", selector, "data"));
  REQUIRE(eventually([&] { return namespaces() == Json{"data", "shop"}; }));
  world.server.erase(resources::policies, "shop", "redis");
  REQUIRE(eventually([&] { return namespaces() == Json{"data"}; }));
  world.server.erase(resources::policies, "data", "redis");
  REQUIRE(eventually([&] { return namespaces().empty(); }));
}

TEST_CASE("a selected Pod that slipped past the webhook is counted and told, one that opted out is not") {
  World world;
  world.redis(1, 1);
  auto document = policy_document("redis", {{"podSelector", {{"matchLabels", {{"app", "shop"}}}}}});
  world.server.put(resources::policies, document);
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  const auto later = kube::rfc3339(std::chrono::system_clock::now() + 2s);
  const auto bare = [&](const std::string& name, const Json& annotations) {
    world.server.put(resources::pods, {{"metadata",
                                        {{"name", name},
                                         {"namespace", "shop"},
                                         {"labels", {{"app", "shop"}}},
                                         {"annotations", annotations},
                                         {"creationTimestamp", later}}},
                                       {"spec", {{"containers", Json::array({{{"name", "app"}}})}}}});
  };
  bare("slipped", Json::object());
  bare("opted-out", {{"ambassador.dev/inject", "false"}});
  REQUIRE(eventually([&] { return world.has_event("NotInjected", "slipped"); }));
  REQUIRE(eventually([&] { return world.counts()["selected"] == 1; }));
  CHECK(world.counts()["injected"] == 0);
  CHECK_FALSE(world.has_event("NotInjected", "opted-out"));
  world.server.erase(resources::pods, "shop", "slipped");
  REQUIRE(eventually([&] { return world.counts()["selected"] == 0; }));
}

TEST_CASE("in the classic form the ambassador is told to end when every other container has") {
  World world;
  world.redis(1, 1);
  world.server.put(resources::policies, policy_document("redis"));
  const auto replica = world.replica();
  REQUIRE(eventually([&] { return world.condition("Ready") == "True/Ready"; }));
  auto pod =
      world.pod("job", {{"ambassador.dev/inject", "true"}, {"ambassador.dev/container-mode", "Container"}});
  pod["spec"]["restartPolicy"] = "Never";
  pod["status"]["containerStatuses"] = Json::parse(R"([{"name": "app", "state": {"running": {}}}])");
  world.server.put(resources::pods, pod);
  REQUIRE(eventually([&] { return world.counts()["injected"] == 1; }));
  pod["status"]["containerStatuses"] =
      Json::parse(R"([{"name": "app", "state": {"terminated": {"exitCode": 0}}}])");
  world.server.put(resources::pods, pod);
  REQUIRE(eventually([&] {
    const auto config =
        kube::annotation_of(world.server.get(resources::pods, "shop", "job"), "ambassador.dev/config");
    return config && Json::parse(*config).value("shutdown", false);
  }));
}

TEST_CASE("policies that differ on a Pod that they share say so") {
  World world;
  world.redis(1, 1);
  world.server.put(resources::policies, policy_document("redis", {{"proxy", {{"logLevel", "Debug"}}}}));
  Json other = {{"proxy", {{"logLevel", "Error"}}}, {"listeners", Json::array({redis_listener()})}};
  other["listeners"][0]["port"] = 6381;
  world.server.put(resources::policies, policy_document("second", other));
  const auto replica = world.replica();
  REQUIRE(eventually([&] {
    return world.condition("Ready") == "True/Ready" && world.condition("Ready", "second") == "True/Ready";
  }));
  CHECK(world.condition("Conflicted").empty());
  world.pod("app");
  REQUIRE(eventually([&] { return world.condition("Conflicted", "second") == "True/PoliciesDiffer"; }));
  world.server.erase(resources::pods, "shop", "app");
  REQUIRE(eventually([&] { return world.condition("Conflicted", "second").empty(); }));
}
