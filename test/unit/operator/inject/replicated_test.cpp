// A Redis listener whose reads go to replicas, as it comes into a Pod.
#include <catch2/catch.hpp>

#include "world.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

struct Replicated : World {
  Replicated() {
    listener()["redis"] = {{"mode", "Replicated"}, {"readPreference", "PreferReplica"}, {"maxLag", "5s"}};
  }
};

}  // namespace

TEST_CASE("who answers reads is in the Pod's configuration, with every server as a backend") {
  const json listener = config_of(Replicated().injected())["listeners"][0];
  CHECK(listener["redis"] ==
        json{{"mode", "Replicated"}, {"readPreference", "PreferReplica"}, {"maxLag", "5s"}});
  REQUIRE(listener["backends"].size() == 2);
  CHECK(listener["backends"][0] ==
        json{{"host", "redis-st-0.redis-svc.shop.svc.cluster.local"}, {"port", 6379}});
}

TEST_CASE("a listener of mode Sentinel has the Sentinels as its backends, and the master's name") {
  World world;
  world.listener()["redis"] = {{"mode", "Sentinel"}, {"sentinel", {{"masterName", "orders"}}}};
  const json listener = config_of(world.injected())["listeners"][0];
  CHECK(listener["redis"] == json{{"mode", "Sentinel"}, {"sentinel", {{"masterName", "orders"}}}});
  CHECK(listener["backends"].size() == 2);
}

TEST_CASE("a listener of mode Cluster has the nodes that the policy names as its backends") {
  World world;
  world.listener()["redis"] = {{"mode", "Cluster"}, {"readPreference", "Replica"}};
  const json listener = config_of(world.injected())["listeners"][0];
  CHECK(listener["redis"] == json{{"mode", "Cluster"}, {"readPreference", "Replica"}});
  CHECK(listener["backends"].size() == 2);
}

TEST_CASE("a running Pod takes another mode and another preference as they come") {
  const json pod = World().injected();
  Replicated world;
  auto state = world.live(pod);
  CHECK_FALSE(state->stale);
  REQUIRE_FALSE(state->wanted_annotations.empty());
  CHECK_THAT(state->wanted_annotations[0].second, Catch::Contains("\"readPreference\":\"PreferReplica\""));
  const json replicated = world.injected();
  world.listener()["redis"]["readPreference"] = "Nearest";
  state = world.live(replicated);
  CHECK_FALSE(state->stale);
  REQUIRE_FALSE(state->wanted_annotations.empty());
  CHECK_THAT(state->wanted_annotations[0].second, Catch::Contains("\"readPreference\":\"Nearest\""));
}
