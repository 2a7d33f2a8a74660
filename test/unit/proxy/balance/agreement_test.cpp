// Several seeds, of which some may know only what was: whose word counts.
#include <catch2/catch.hpp>

#include "proxy/balance/agreement.hpp"

using namespace ambassador::proxy;
using balance::Agreement;
using Hosts = std::vector<std::string>;

namespace {

const SeedAnswer kSilent{};
const SeedAnswer kKnowsNothing{.answers = true, .members = std::nullopt};

/// The first of `hosts` leads.
SeedAnswer says(std::uint64_t epoch, const Hosts& hosts) {
  Members members{.epoch = epoch, .leader = {hosts.front(), 1}, .servers = {}};
  for (const std::string& host : hosts) members.servers.push_back({host, 1});
  return {.answers = true, .members = std::move(members)};
}

struct Scene {
  Agreement agreement;

  bool weigh(const std::vector<SeedAnswer>& seeds) { return agreement.weigh(seeds); }
  [[nodiscard]] Hosts hosts() const {
    Hosts all;
    if (!agreement.members()) return all;
    for (const Place& place : agreement.members()->servers) all.push_back(place.host);
    return all;
  }
};

}  // namespace

TEST_CASE("nothing is agreed on before one seed tells of servers") {
  Scene scene;
  CHECK_FALSE(scene.weigh({kSilent, kSilent}));
  CHECK_FALSE(scene.weigh({kKnowsNothing, kSilent}));
  CHECK_FALSE(scene.agreement.members());
  CHECK(scene.weigh({kKnowsNothing, says(0, {"b", "a"})}));
  CHECK(scene.hosts() == Hosts{"a", "b"});
  CHECK(scene.agreement.members()->leader.host == "b");
}

TEST_CASE("each seed sees a part of one list, and it is told once when that changes") {
  Scene scene;
  CHECK(scene.weigh({says(3, {"a", "b"}), says(3, {"a", "c"}), says(3, {"a"})}));
  CHECK(scene.hosts() == Hosts{"a", "b", "c"});
  CHECK_FALSE(scene.weigh({says(3, {"a", "c", "b"}), says(3, {"a"}), says(3, {"a"})}));
  CHECK(scene.weigh({says(3, {"a", "c"}), says(3, {"a"}), kSilent}));
  CHECK(scene.hosts() == Hosts{"a", "c"});
}

TEST_CASE("a higher epoch counts at once, whoever tells of it") {
  Scene scene;
  scene.weigh({says(1, {"a", "b"}), says(1, {"a", "b"}), says(1, {"a", "b"})});
  CHECK(scene.weigh({says(1, {"a", "b"}), says(2, {"b", "c"}), says(1, {"a", "b"})}));
  CHECK(scene.hosts() == Hosts{"b", "c"});
}

TEST_CASE("what was agreed on stays while nobody answers, or nobody knows") {
  Scene scene;
  scene.weigh({says(1, {"a", "b"}), kSilent});
  CHECK_FALSE(scene.weigh({kSilent, kSilent}));
  CHECK_FALSE(scene.weigh({kKnowsNothing, kKnowsNothing}));
  CHECK_FALSE(scene.weigh({}));
  CHECK(scene.hosts() == Hosts{"a", "b"});
}

TEST_CASE("who knows only an older list moves nobody, even when it alone answers") {
  Scene scene;
  const SeedAnswer stale = says(1, {"a", "b"});
  scene.weigh({says(2, {"b", "c"}), says(2, {"b", "c"}), stale});
  REQUIRE(scene.hosts() == Hosts{"b", "c"});
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(scene.weigh({kSilent, kSilent, stale}));
    CHECK_FALSE(scene.weigh({kSilent, says(2, {"b", "c"}), stale}));
    CHECK_FALSE(scene.weigh({kSilent, says(0, {"x"}), stale}));
  }
  CHECK(scene.hosts() == Hosts{"b", "c"});
}

TEST_CASE("another leader in the same epoch needs the word of every seed") {
  Scene scene;
  scene.weigh({says(0, {"a"}), says(0, {"a"}), says(0, {"a"})});
  CHECK_FALSE(scene.weigh({kSilent, says(0, {"b"}), says(0, {"b"})}));
  CHECK_FALSE(scene.weigh({says(0, {"a"}), says(0, {"a"}), says(0, {"b"})}));
  CHECK(scene.hosts() == Hosts{"a"});
  CHECK(scene.weigh({says(0, {"a"}), says(0, {"b"}), says(0, {"b"})}));
  CHECK(scene.hosts() == Hosts{"b"});
  // Of two that as many name, the one that it is.
  CHECK_FALSE(scene.weigh({says(0, {"a"}), says(0, {"b"})}));
  CHECK(scene.hosts() == Hosts{"b"});
}

TEST_CASE("seeds that were all set up anew are believed, though they count from the beginning") {
  Scene scene;
  scene.weigh({says(7, {"a"}), says(7, {"a"})});
  CHECK_FALSE(scene.weigh({says(0, {"b"}), kSilent}));
  CHECK(scene.hosts() == Hosts{"a"});
  CHECK(scene.weigh({says(0, {"b"}), kKnowsNothing}));
  CHECK(scene.hosts() == Hosts{"b"});
  CHECK(scene.weigh({says(1, {"c"}), says(0, {"b"})}));
  CHECK(scene.hosts() == Hosts{"c"});
}
