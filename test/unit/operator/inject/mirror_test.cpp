// A Redis listener whose commands are copied to another one, as it comes into a Pod.
#include <catch2/catch.hpp>

#include "world.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

struct Mirrored : World {
  Mirrored() {
    listener()["redis"]["mirror"] = {{"listener", "next"}};
    policies[0]["spec"]["listeners"].push_back(
        {{"name", "next"},
         {"protocol", "Redis"},
         {"port", 6390},
         {"upstreams", {{{"hosts", {{{"host", "next.example"}, {"port", 6379}}}}}}}});
  }
};

}  // namespace

TEST_CASE("a mirror is known by its name in the Pod's configuration") {
  const json listeners = config_of(Mirrored().injected())["listeners"];
  REQUIRE(listeners.size() == 2);
  CHECK(listeners[0]["redis"] == json{{"mirror", {{"listener", "shop-data.next"}}}});
  CHECK(listeners[1]["name"] == "shop-data.next");
}

TEST_CASE("a mirror whose port the application has itself is none") {
  Mirrored world;
  const json pod = world.injected();
  world.pod = pod;
  world.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 6390}}};
  const auto state = world.live(world.pod);
  REQUIRE_FALSE(state->wanted_annotations.empty());
  CHECK_THAT(state->wanted_annotations[0].second,
             !Catch::Contains("shop-data.next") && Catch::Contains("shop-data.cache"));
}
