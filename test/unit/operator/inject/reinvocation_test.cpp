// A second pass changes nothing: the patch applied twice is the patch applied once.
#include <catch2/catch.hpp>
#include <random>

#include "world.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

/// A world drawn from a seed: policies, Pod and installation of every kind that injection distinguishes.
World drawn(unsigned seed) {
  std::mt19937 random(seed);
  const auto coin = [&] { return random() % 2 == 0; };
  World world;
  if (coin()) world.policies.push_back(queue_policy());
  if (coin()) world.listener()["unixSocket"] = "Enabled";
  if (coin()) world.policies[0]["spec"]["proxy"]["resources"]["requests"]["cpu"] = "1000m";
  if (coin()) world.installation.oldest_node_minor = 27;
  if (coin()) world.installation.image_pull_secrets = {"a", "b"};
  if (coin()) world.installation.proxy_env = {{"A", "b"}};
  auto& pod = world.pod;
  if (coin()) pod["metadata"]["labels"] = {{"app", "shop"}};
  if (coin()) pod["metadata"].erase("name");
  if (coin()) pod["metadata"]["annotations"]["a/b~c"] = "d";
  if (coin()) pod["metadata"]["annotations"]["ambassador.dev/cpu-limit"] = "0.5";
  if (coin()) pod["spec"]["initContainers"] = json::array();
  if (coin()) pod["spec"]["initContainers"].push_back({{"name", "init"}});
  if (coin()) pod["spec"]["volumes"] = {{{"name", "v"}, {"emptyDir", json::object()}}};
  if (coin()) pod["spec"]["imagePullSecrets"] = {{{"name", "b"}}};
  auto& container = pod["spec"]["containers"][0];
  if (coin()) container["env"] = {{{"name", "REDIS_URL"}, {"value", "mine"}}};
  if (coin()) container["volumeMounts"] = {{{"name", "v"}, {"mountPath", coin() ? "/run/ambassador" : "/x"}}};
  if (coin()) container["resources"] = {{"limits", {{"cpu", "1"}, {"memory", "1Gi"}}}};
  if (coin()) pod["spec"]["containers"].push_back({{"name", "second"}});
  if (coin()) pod["spec"].erase("containers");
  return world;
}

}  // namespace

TEST_CASE("a second pass over any injected Pod changes nothing") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const World world = drawn(seed);
    const auto first = world.decided();
    INFO("seed " << seed << " " << first.message);
    REQUIRE(first.outcome == Outcome::injected);
    const json once = world.pod.patch(first.patch);
    const auto second = world.decide_on(once);
    CHECK(second.outcome == Outcome::already_injected);
    CHECK(second.patch == json::array());
  }
}

TEST_CASE("nor does it after the API server's defaults") {
  for (unsigned seed = 0; seed < 100; ++seed) {
    World world = drawn(seed);
    world.pod["spec"]["terminationGracePeriodSeconds"] = 30;  // defaulted before the first pass as well
    const json once = defaulted(world.pod.patch(world.decided().patch));
    const auto second = world.decide_on(once);
    INFO("seed " << seed << " " << second.message << second.patch);
    CHECK(second.outcome == Outcome::already_injected);
    CHECK(second.patch == json::array());
  }
}

TEST_CASE("a container that another webhook added afterwards gets its variables, and no more changes") {
  const World world;
  json pod = world.injected();
  pod["spec"]["containers"].push_back({{"name", "late"}});
  auto& inits = pod["spec"]["initContainers"];
  inits.insert(inits.begin(), json{{"name", "earlier"}});
  const auto decision = world.decide_on(pod);
  CHECK(decision.outcome == Outcome::already_injected);
  REQUIRE(decision.patch.size() == 1);
  CHECK(decision.patch[0]["path"] == "/spec/containers/1/env");
}

TEST_CASE("an image that another webhook rewrote to its mirror stays so") {
  const World world;
  json pod = world.injected();
  pod["spec"]["initContainers"][0]["image"] = "mirror.example/ambassador-proxy:0.1.0";
  const auto decision = world.decide_on(pod);
  CHECK(decision.outcome == Outcome::already_injected);
  CHECK(decision.patch == json::array());
}

TEST_CASE("a Pod copied from a running one is made current as far as a copy can be") {
  World world;
  json copy = world.injected();
  world.installation.proxy_image = "registry.example/ambassador-proxy:0.2.0";
  world.listener()["timeouts"]["queue"] = "9s";
  const auto decision = world.decide_on(copy);
  CHECK(decision.outcome == Outcome::already_injected);
  copy = copy.patch(decision.patch);
  CHECK(config_of(copy)["listeners"][0]["timeouts"]["queue"] == "9s");
  REQUIRE(world.live(copy).has_value());
  CHECK(world.live(copy)->stale_because == "image");
}
