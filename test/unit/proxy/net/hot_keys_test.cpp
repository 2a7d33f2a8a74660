#include "proxy/net/hot_keys.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>

using namespace ambassador::proxy;
using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kAll = 1000;  // more than are ever kept

struct Scene {
  SteadyTime now{1h};
  HotKeys keys{[this] { return now; }};

  explicit Scene(unsigned one_in, unsigned size = kAll) { keys.limit({.one_in = one_in, .size = size}); }
  /// One command that asks for `key`.
  void ask(const std::string& key) {
    if (keys.looks()) keys.saw(key);
  }
  /// `per_second` commands in each of `seconds`.
  void ask(const std::string& key, int per_second, int seconds) {
    for (int i = 0; i < per_second * seconds; ++i) {
      if (i % per_second == 0) now += 1s;
      ask(key);
    }
  }
  [[nodiscard]] AskedKeys all() const {
    std::vector<AskedKeys> listed;
    keys.list("shop.cache", listed);
    REQUIRE(listed.size() == 1);
    return listed[0];
  }
  [[nodiscard]] AskedKeys told() const { return put_together({all()})[0]; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const AskedKeys::Key& key : told().keys) found.push_back(key.key);
    return found;
  }
};

/// Numbers from 0 on, the n-th of which comes 1/(n+1)^s times as often as the first.
class Zipf {
 public:
  Zipf(std::size_t keys, double s) {
    for (std::size_t n = 0; n < keys; ++n) sums_.push_back((n == 0 ? 0 : sums_.back()) + std::pow(n + 1, -s));
  }
  std::size_t next() {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random_);
    return static_cast<std::size_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
  std::mt19937 random_{7};
};

}  // namespace

TEST_CASE("one command in so many is looked at, in no rhythm that clients could have") {
  Scene scene(64);
  constexpr int kRounds = 640'000;
  int looked = 0;
  int even = 0;
  for (int i = 0; i < kRounds; ++i) {
    if (!scene.keys.looks()) continue;
    ++looked;
    even += i % 64 == 0 ? 1 : 0;
  }
  CHECK(std::abs(looked - kRounds / 64) < kRounds / 64 / 20);
  CHECK(even > 0);
  CHECK(even < looked / 32);  // a 64th of them is what chance gives
  Scene all(1);
  for (int i = 0; i < 100; ++i) CHECK(all.keys.looks());
  Scene none(64, 0);
  for (int i = 0; i < kRounds; ++i) REQUIRE_FALSE(none.keys.looks());
  std::vector<AskedKeys> listed;
  none.keys.list("shop.cache", listed);
  CHECK(listed.empty());
}

TEST_CASE("what is told of a key is how often it was asked for") {
  Scene scene(1);
  for (int second = 0; second < 300; ++second) {
    scene.now += 1s;
    for (int i = 0; i < 30; ++i) scene.ask("hot");
    for (int i = 0; i < 10; ++i) scene.ask("warm");
  }
  const AskedKeys told = scene.told();
  CHECK(told.listener == "shop.cache");
  CHECK(told.per_second == Approx(40).epsilon(0.05));
  REQUIRE(told.keys.size() == 2);
  CHECK(told.keys[0].key == "hot");
  CHECK(told.keys[0].per_second == Approx(30).epsilon(0.05));
  CHECK(told.keys[0].error() == 0);  // all were looked at, and there was room
  CHECK(told.keys[1].key == "warm");
  CHECK(told.keys[1].per_second == Approx(10).epsilon(0.05));
}

TEST_CASE("the first seconds are told as what they are, too") {
  Scene scene(1);
  scene.ask("hot", 50, 5);
  CHECK(scene.told().keys.at(0).per_second == Approx(50).epsilon(0.3));
}

TEST_CASE("of keys as clients choose them the hottest are found, each figure within its error") {
  const unsigned one_in = GENERATE(1U, 64U);
  constexpr int kCommands = 1'000'000;
  constexpr std::size_t kHot = 8;
  Scene scene(one_in);
  Zipf zipf(100'000, 1.0);
  std::map<std::string, int> asked;
  for (int i = 0; i < kCommands; ++i) {
    if (i % 100'000 == 0) scene.now += 1s;
    const std::string key = "key:" + std::to_string(zipf.next());
    ++asked[key];
    scene.ask(key);
  }
  // Ten seconds are less than a half-life: shares are compared, which fade alike.
  const AskedKeys all = scene.all();
  CHECK(all.keys.size() <= HotKeys::kBuckets * HotKeys::kInBucket);
  double too_high = 0;
  for (const AskedKeys::Key& key : all.keys) {
    CHECK(key.too_high <= key.per_second);
    too_high = std::max(too_high, key.too_high / all.per_second);
  }
  // What falls to a bucket is at most a 16th of all and its hot keys; of that, a 16th.
  CHECK(too_high < 0.02);
  const AskedKeys told = scene.told();
  REQUIRE(told.keys.size() >= kHot);
  int off = 0;
  for (std::size_t n = 0; n < told.keys.size(); ++n) {
    const AskedKeys::Key& key = told.keys[n];
    const double share = static_cast<double>(asked[key.key]) / kCommands;
    // The last second counts a little more than the first one.
    if (std::abs(key.per_second / all.per_second - share) > key.error() / all.per_second + 0.05 * share)
      ++off;
  }
  CHECK(off <= static_cast<int>(told.keys.size()) / 10);
  const auto names = scene.names();
  for (std::size_t n = 0; n < kHot; ++n) {
    INFO(n);
    CHECK(std::ranges::count(names, "key:" + std::to_string(n)) == 1);
  }
}

TEST_CASE("however many keys there are, so many are kept, and so much of each") {
  Scene scene(1);
  for (int i = 0; i < 100'000; ++i) scene.ask("key:" + std::to_string(i) + std::string(10'000, 'k'));
  const AskedKeys all = scene.all();
  CHECK(all.keys.size() == HotKeys::kBuckets * HotKeys::kInBucket);
  for (const AskedKeys::Key& key : all.keys) CHECK(key.key.size() == kKeyShown);
  CHECK(scene.names().empty());  // no one is asked for more than others
}

TEST_CASE("a key that is asked for no more fades, and others take its place") {
  Scene scene(1);
  scene.ask("before", 100, 300);
  const double then = scene.told().keys[0].per_second;
  scene.now += HotKeys::kHalfLife;
  CHECK(scene.told().keys[0].per_second == Approx(then / 2).epsilon(0.01));
  scene.ask("after", 100, 60);
  CHECK(scene.names() == std::vector<std::string>{"after", "before"});
  scene.now += 24h;
  CHECK(scene.told().keys.empty());
  scene.ask("today", 10, 60);  // the scale is another one by now
  REQUIRE(scene.names() == std::vector<std::string>{"today"});
  CHECK(scene.told().keys[0].per_second == Approx(10 * (1 - std::exp2(-2))).epsilon(0.05));
}

TEST_CASE("what is counted stays when limits change, unless nothing is counted any more") {
  Scene scene(1);
  scene.ask("hot", 100, 300);
  scene.keys.limit({.one_in = 8, .size = 1});
  scene.ask("hot", 100, 300);
  scene.ask("other", 1000, 1);
  REQUIRE(scene.told().keys.size() == 1);
  CHECK(scene.told().keys[0].per_second == Approx(100).epsilon(0.1));
  CHECK(scene.told().keys[0].error() > 1);
  scene.keys.limit({});
  scene.keys.limit({.one_in = 1, .size = 1});
  CHECK(scene.told().keys.empty());
  CHECK(scene.told().per_second == 0);
}

TEST_CASE("what workers know of a listener is one list, the hottest first, and no longer than wanted") {
  const HotLimits limits{.one_in = 64, .size = 2};
  const auto known = [&](std::string listener, double per_second, std::vector<AskedKeys::Key> keys) {
    return AskedKeys{std::move(listener), limits, 30s, per_second, std::move(keys)};
  };
  const auto all = put_together({
      known("b", 100, {{"x", 30, 1, 4}, {"y", 20, 0, 0}, {"z", 25, 0, 0}, {"chance", 5, 4, 1}}),
      known("a", 7, {}),
      known("b", 50, {{"y", 20, 0, 0}, {"x", 9, 1, 5}}),
  });
  REQUIRE(all.size() == 2);
  CHECK(all[0].listener == "a");
  CHECK(all[0].keys.empty());
  CHECK(all[1].per_second == 150);
  REQUIRE(all[1].keys.size() == 2);
  CHECK(all[1].keys[0].key == "y");
  CHECK(all[1].keys[0].per_second == 40);
  CHECK(all[1].keys[1].key == "x");
  CHECK(all[1].keys[1].per_second == 39);
  CHECK(all[1].keys[1].error() == 2 + 2 * 3);
}
