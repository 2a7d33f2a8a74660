#include "proxy/balance/first_in_order.hpp"

#include <catch2/catch.hpp>

using namespace ambassador::proxy;
using balance::FirstInOrder;
using std::chrono::seconds;

namespace {

struct Scene {
  std::vector<bool> up;
  FirstInOrder order{up.size()};
  FirstInOrder::Time now{};

  BackendIndex after(seconds passed) {
    now += passed;
    return order.choose([this](BackendIndex i) { return up[i]; }, now);
  }
};

}  // namespace

TEST_CASE("the first backend in order is used from the start") {
  Scene scene{{true, true, true}};
  CHECK(scene.after(seconds(0)) == 0);
  CHECK(scene.after(seconds(100)) == 0);
}

TEST_CASE("a backend that fails is left at once") {
  Scene scene{{true, true}};
  CHECK(scene.after(seconds(0)) == 0);
  scene.up = {false, true};
  CHECK(scene.after(seconds(0)) == 1);
}

TEST_CASE("an earlier backend is gone back to after ten healthy seconds, not before") {
  Scene scene{{false, true}};
  CHECK(scene.after(seconds(0)) == 1);
  scene.up = {true, true};
  CHECK(scene.after(seconds(50)) == 1);
  CHECK(scene.after(seconds(9)) == 1);
  CHECK(scene.after(seconds(1)) == 0);
}

TEST_CASE("an earlier backend that flaps moves nobody") {
  Scene scene{{false, true}};
  for (int i = 0; i < 10; ++i) {
    scene.up[0] = false;
    CHECK(scene.after(seconds(1)) == 1);
    scene.up[0] = true;
    CHECK(scene.after(seconds(9)) == 1);
  }
}

TEST_CASE("after a total outage the first to come back is used, and kept until an earlier one has settled") {
  Scene scene{{false, false, false}};
  CHECK(scene.after(seconds(0)) == kNoBackend);
  scene.up = {false, false, true};
  CHECK(scene.after(seconds(1)) == 2);
  scene.up = {true, true, true};
  CHECK(scene.after(seconds(1)) == 2);
  CHECK(scene.after(seconds(10)) == 0);
}

TEST_CASE("without backends there is none to use") {
  Scene scene{{}};
  CHECK(scene.after(seconds(0)) == kNoBackend);
}
