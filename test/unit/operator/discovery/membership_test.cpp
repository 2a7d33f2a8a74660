#include "operator/discovery/membership.hpp"

#include <catch2/catch.hpp>

using ambassador::discovery::next_members;
using Set = std::set<int>;

TEST_CASE("all ordinals are members when a listener is first resolved, ready or not") {
  CHECK(next_members({}, 0, 3, {}) == Set{0, 1, 2});
  CHECK(next_members({}, 5, 2, {}) == Set{5, 6});
}

TEST_CASE("a later ordinal joins once it is Ready") {
  CHECK(next_members({0, 1}, 0, 3, {0, 1}) == Set{0, 1});
  CHECK(next_members({0, 1}, 0, 3, {2}) == Set{0, 1, 2});
}

TEST_CASE("a member that is down stays, or every key would move") {
  CHECK(next_members({0, 1, 2}, 0, 3, {}) == Set{0, 1, 2});
}

TEST_CASE("a member leaves only when replicas drop below it") {
  CHECK(next_members({0, 1, 2}, 0, 2, {0, 1, 2}) == Set{0, 1});
  CHECK(next_members({0, 1}, 0, 0, {}).empty());
}

TEST_CASE("a set scaled to nothing and back starts anew") {
  CHECK(next_members({}, 0, 2, {}) == Set{0, 1});
}

TEST_CASE("ordinals that start later leave the ones before") {
  CHECK(next_members({0, 1, 2}, 1, 2, {}) == Set{1, 2});
}
