// How far a replica is behind, by the proxy's own clock.
#include "proxy/net/position_history.hpp"

#include <catch2/catch.hpp>

#include "proxy/net/upstream.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

const SteadyTime kStart{std::chrono::hours(5)};

Behind of(const PositionHistory& history, std::uint64_t position, SteadyTime now) {
  const auto found = history.behind(position, now);
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("a replica is behind by how long ago the primary was where it is") {
  PositionHistory history;
  CHECK_FALSE(history.behind(100, kStart));
  history.add(kStart, 100);
  history.add(kStart + 1s, 200);
  history.add(kStart + 2s, 300);
  const SteadyTime now = kStart + 3s;
  CHECK_FALSE(history.behind(99, now));
  CHECK(of(history, 100, now).lag == 3s);
  CHECK(of(history, 199, now).lag == 3s);
  CHECK(of(history, 200, now).lag == 2s);
  CHECK(of(history, 200, now).has_until == kStart + 1s);
  CHECK(of(history, 300, now).lag == 0s);
  CHECK(of(history, 1000, now).lag == 0s);
  CHECK(of(history, 1000, now).has_until == kStart + 2s);
}

TEST_CASE("while the primary writes nothing a replica that has all stays so") {
  PositionHistory history;
  for (int i = 0; i < 100; ++i) history.add(kStart + i * 1s, 100);
  CHECK(of(history, 100, kStart + 100s).lag == 0s);
  CHECK(of(history, 100, kStart + 100s).has_until == kStart + 99s);
  history.add(kStart + 100s, 101);
  CHECK(of(history, 100, kStart + 101s).lag == 2s);
}

TEST_CASE("a primary that is further back has another history") {
  PositionHistory history;
  history.add(kStart, 100);
  history.add(kStart + 1s, 50);
  CHECK_FALSE(history.behind(49, kStart + 2s));
  CHECK(of(history, 50, kStart + 2s).has_until == kStart + 1s);
}

TEST_CASE("a long history is bounded, and never makes a lag look shorter") {
  PositionHistory history;
  constexpr int kMany = 100'000;
  for (int i = 0; i <= kMany; ++i) history.add(kStart + i * 1s, 1000 + static_cast<std::uint64_t>(i));
  const SteadyTime now = kStart + kMany * 1s;
  for (const int ago : {1, 10, 100, 1000, 10'000, 90'000}) {
    const Behind behind = of(history, static_cast<std::uint64_t>(1000 + kMany - ago), now);
    CHECK(behind.lag >= ago * 1s);
    CHECK(behind.lag <= ago * 2s + 1s);
    CHECK(behind.has_until <= now - ago * 1s);
  }
}

TEST_CASE("what is known of a replica ages") {
  config::Backend backend;
  backend.name = backend.host = "b";
  Upstream upstream(backend);
  CHECK_FALSE(upstream.lag());
  CHECK_FALSE(upstream.most_lag(kStart));
  CHECK_FALSE(upstream.has_until(kStart, kStart));
  upstream.set_behind(Behind{kStart, 100ms}, kStart + 1s);
  CHECK(upstream.lag() == SteadyTime::duration(100ms));
  CHECK(upstream.most_lag(kStart + 3s) == SteadyTime::duration(2100ms));
  CHECK(upstream.has_until(kStart, kStart + 1s));
  CHECK_FALSE(upstream.has_until(kStart + 1ns, kStart + 1s));
  CHECK_FALSE(upstream.has_until(kStart, kStart + 1s + Upstream::kNewsFor));
  upstream.set_has_until(kStart + 500ms);
  CHECK(upstream.has_until(kStart + 500ms, kStart + 1s));
  upstream.set_behind(std::nullopt, kStart + 2s);
  CHECK_FALSE(upstream.lag());
  CHECK_FALSE(upstream.has_until(kStart, kStart + 2s));
}
