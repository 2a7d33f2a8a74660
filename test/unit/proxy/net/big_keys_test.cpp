#include "proxy/net/big_keys.hpp"

#include <catch2/catch.hpp>
#include <limits>

using namespace ambassador::proxy;
using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

struct Scene {
  SystemTime now{1'700'000'000s};
  BigKeys keys;

  explicit Scene(unsigned size = 3) { keys.limit({.threshold = 1000, .size = size}); }
  void see(const std::string& key, std::uint64_t bytes) {
    if (keys.takes(bytes, now))
      keys.add({.listener = "shop.cache", .at = now, .bytes = bytes, .command = "get", .key = key});
  }
  [[nodiscard]] std::vector<std::string> all() const {
    std::vector<BigKey> kept;
    keys.list(now, kept);
    std::vector<std::string> names;
    for (const BigKey& big : put_together(kept)) names.push_back(big.key + " " + std::to_string(big.bytes));
    return names;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("of large messages the largest are kept, of each key the largest") {
  Scene scene;
  CHECK(scene.keys.threshold() == 1000);
  CHECK(scene.all().empty());
  scene.see("a", 2000);
  scene.see("b", 1000);
  scene.see("c", 3000);
  scene.see("c", 1500);
  CHECK(scene.all() == Names{"c 3000", "a 2000", "b 1000"});
  CHECK_FALSE(scene.keys.takes(999, scene.now));
  scene.see("b", 1200);
  scene.see("d", 1100);
  CHECK(scene.all() == Names{"c 3000", "a 2000", "b 1200"});
  scene.see("d", 1200);
  CHECK(scene.all() == Names{"c 3000", "a 2000", "d 1200"});
}

TEST_CASE("what was not seen for an hour is forgotten, and is in nobody's way") {
  Scene scene;
  for (const char* key : {"a", "b", "c"}) scene.see(key, 1'000'000);
  scene.now += 30min;
  scene.see("c", 1'000'000);
  scene.see("small", 2000);
  scene.now += 30min;
  CHECK(scene.all() == Names{"c 1000000"});
  scene.see("small", 2000);
  CHECK(scene.all() == Names{"c 1000000", "small 2000"});
  scene.now += 1h;
  scene.see("c", 1000);
  CHECK(scene.all() == Names{"c 1000"});
}

TEST_CASE("what is kept of large messages outlives another limit, as far as it fits") {
  Scene scene;
  scene.see("a", 1000);
  scene.see("b", 3000);
  scene.see("c", 2000);
  scene.keys.limit({.threshold = 1500, .size = 2});
  CHECK(scene.keys.threshold() == 1500);
  CHECK(scene.all() == Names{"b 3000", "c 2000"});
  scene.keys.limit({});
  CHECK(scene.keys.threshold() == std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(scene.keys.takes(1'000'000, scene.now));
  CHECK(scene.all().empty());
}

TEST_CASE("what workers know of large messages is one list: of each listener's key the largest") {
  const SystemTime at{1s};
  const auto all = put_together({{"b", at, 10, "get", "x"},
                                 {"a", at, 20, "set", "x"},
                                 {"b", at, 30, "set", "x"},
                                 {"b", at, 15, "get", "y"}});
  REQUIRE(all.size() == 3);
  CHECK((all[0].listener == "b" && all[0].key == "x" && all[0].bytes == 30 && all[0].command == "set"));
  CHECK((all[1].listener == "a" && all[1].bytes == 20));
  CHECK((all[2].key == "y" && all[2].bytes == 15));
}
