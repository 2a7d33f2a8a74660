#include "proxy/net/standings.hpp"

#include <catch2/catch.hpp>

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

const SteadyTime kStart{std::chrono::hours(5)};

struct Servers {
  Upstreams all;
  Standings standings;
  SteadyTime now = kStart;

  explicit Servers(int count) {
    for (int i = 0; i < count; ++i) {
      config::Backend backend;
      backend.name = "redis-" + std::to_string(i);
      all.push_back(std::make_shared<Upstream>(backend));
    }
    standings.follow(all);
  }
  bool says(std::size_t i, Role role, std::uint64_t position, std::uint64_t term = 0) {
    const Standing standing{.role = role, .term = term, .position = position};
    all[i]->set_standing(standing, now);
    return standings.said(*all[i], standing, now, now);
  }
};

}  // namespace

TEST_CASE("a replica is as far behind as the time since the primary was where it is") {
  Servers three(3);
  CHECK(three.says(0, Role::primary, 100));
  CHECK(three.standings.has_primary());
  three.says(1, Role::replica, 100);
  CHECK(three.all[1]->lag() == 0s);
  three.now += 1s;
  CHECK_FALSE(three.says(0, Role::primary, 200));
  three.now += 1s;
  three.says(1, Role::replica, 200);
  three.says(2, Role::replica, 150);
  CHECK(three.all[1]->lag() == 0s);
  CHECK(three.all[2]->lag() == 2s);
}

TEST_CASE("a replica without a position, or of a server that is not there, is not known to follow") {
  Servers two(2);
  two.says(1, Role::replica, 100);
  CHECK_FALSE(two.all[1]->lag());
  two.says(0, Role::primary, 100);
  two.says(1, Role::replica, 100);
  CHECK(two.all[1]->lag() == 0s);
  two.says(1, Role::replica, 0);
  CHECK_FALSE(two.all[1]->lag());
}

TEST_CASE("with another primary nothing is known of the replicas before they are asked again") {
  Servers three(3);
  three.says(0, Role::primary, 100);
  three.says(1, Role::replica, 100);
  three.says(2, Role::replica, 100);
  three.standings.silent(*three.all[0], three.now);
  CHECK_FALSE(three.standings.has_primary());
  CHECK(three.says(1, Role::primary, 120, 101));
  CHECK(three.standings.has_primary());
  CHECK_FALSE(three.all[2]->lag());
  three.says(2, Role::replica, 120);
  CHECK(three.all[2]->lag() == 0s);
}

TEST_CASE(
    "of two primaries the one that was promoted last is it, and the other one's history counts for nothing") {
  Servers two(2);
  two.says(0, Role::primary, 100);
  CHECK(two.says(1, Role::primary, 101, 101));
  CHECK_FALSE(two.says(0, Role::primary, 500));
  CHECK_FALSE(two.says(1, Role::primary, 102, 101));
  CHECK(leads(two.all, *two.all[1]));
  CHECK_FALSE(leads(two.all, *two.all[0]));
}

TEST_CASE("servers that stay configured keep what is known of them") {
  Servers two(2);
  two.says(0, Role::primary, 100);
  two.says(1, Role::replica, 100);
  two.standings.follow({two.all[1], two.all[0]});
  CHECK(two.standings.has_primary());
  two.now += 1s;
  two.says(1, Role::replica, 100);
  CHECK(two.all[1]->lag() == 0s);
  two.standings.follow({two.all[1]});
  CHECK_FALSE(two.standings.has_primary());
}
