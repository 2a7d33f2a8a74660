// spec.connectionBudget: what each Pod may open, and when that changes.
#include <map>
#include <numeric>

#include "operator/controller/budget_shares.hpp"
#include "operator/inject/connection_share.hpp"
#include "test/unit/operator/controller/capped_database.hpp"
#include "world.hpp"

using namespace ambassador;
using namespace ambassador::test;
using controller::BudgetShares;
using controller::kQuietBeforeGrowth;

namespace {

constexpr unsigned kBudget = 128;

Json database_policy(unsigned budget = kBudget) {
  Json policy = policy_document("db", {{"connectionBudget", budget}});
  policy["spec"]["listeners"] = Json::parse(R"([{"name": "db", "protocol": "PostgreSQL", "port": 5432,
      "credentials": {"secretRef": {"name": "db"}}, "pool": {"maxServerConnections": 40},
      "upstreams": [{"hosts": [{"host": "10.9.9.9", "port": 5432}]}]}])");
  return policy;
}

struct Fleet : World {
  unsigned allowed(const std::string& pod) const {
    const auto text = kube::annotation_of(server.get(resources::pods, "shop", pod), "ambassador.dev/config");
    return Json::parse(*text)["listeners"][0]["sql"].value("maxServerConnections", 10U);
  }
  std::vector<std::string> pods() const {
    std::vector<std::string> out;
    for (const auto& pod : server.all(resources::pods)) out.push_back(kube::name_of(pod));
    return out;
  }
  unsigned together() const {
    const auto all = pods();
    return std::accumulate(all.begin(), all.end(), 0U,
                           [&](unsigned sum, const auto& pod) { return sum + allowed(pod); });
  }
  bool each_has(unsigned share) const {
    const auto all = pods();
    return std::ranges::all_of(all, [&](const auto& pod) { return allowed(pod) == share; });
  }
  std::size_t most_patches_of_one() const {
    std::map<std::string, std::size_t> patches;
    for (const auto& one : writes()) {
      if (one.starts_with("PATCH") && one.find("/pods/") != std::string::npos) ++patches[one];
    }
    std::size_t most = 0;
    for (const auto& [pod, count] : patches) most = std::max(most, count);
    return most;
  }
};

}  // namespace

TEST_CASE("a budget is shared out in powers of two, and nobody is left without") {
  using inject::connection_share;
  CHECK(connection_share(200, 0) == 200);
  CHECK(connection_share(200, 1) == 200);
  CHECK(connection_share(200, 2) == 100);
  CHECK(connection_share(200, 3) == 50);
  CHECK(connection_share(200, 100) == 1);
  CHECK(connection_share(3, 1000) == 1);
  for (std::size_t pods = 1; pods <= 200; ++pods) CHECK(connection_share(200, pods) * pods <= 200);
}

TEST_CASE("shares shrink at once and grow after some quiet") {
  BudgetShares shares;
  const BudgetShares::Clock::time_point start{};
  const auto decide = [&](std::size_t pods, unsigned given, std::chrono::milliseconds later) {
    return shares.decide("shop/db", 128, pods, given, start + later);
  };
  CHECK(shares.decide("shop/db", 128, 4, std::nullopt, start).share == 32);
  CHECK(decide(9, 32, 0ms).share == 8);
  const auto waits = decide(4, 8, 100ms);
  CHECK(waits.share == 8);
  CHECK(waits.look_again == kQuietBeforeGrowth);
  CHECK(decide(4, 8, 100ms + kQuietBeforeGrowth - 1ms).look_again == 1ms);
  CHECK(decide(4, 8, 100ms + kQuietBeforeGrowth).share == 32);
}

TEST_CASE("a rollout's coming and going starts the quiet anew") {
  BudgetShares shares;
  const BudgetShares::Clock::time_point start{};
  const auto decide = [&](std::size_t pods, std::chrono::milliseconds later) {
    return shares.decide("shop/db", 128, pods, 8U, start + later).share;
  };
  CHECK(decide(8, 0ms) == 8);      // 16 would be possible
  CHECK(decide(10, 3000ms) == 8);  // the next ones come: no longer
  CHECK(decide(8, 4000ms) == 8);
  CHECK(decide(8, 8900ms) == 8);
  CHECK(decide(8, 9000ms) == 16);
}

TEST_CASE("from 10 Pods to 100: within the budget, and few patches", "[slow]") {
  Fleet fleet;
  fleet.server.put(resources::policies, database_policy());
  const auto replica = fleet.replica();
  REQUIRE(eventually([&] { return fleet.condition("Ready", "db") == "True/Ready"; }));
  for (int i = 0; i < 10; ++i) fleet.pod("app-" + std::to_string(i));
  REQUIRE(eventually([&] { return fleet.each_has(8); }));
  CappedDatabase database(fleet.server, kBudget);
  for (int i = 10; i < 100; ++i) fleet.pod("app-" + std::to_string(i));
  REQUIRE(eventually([&] { return fleet.each_has(1); }));
  CHECK(fleet.policy("db")["status"]["connectionsPerPod"] == 1);
  CHECK(fleet.together() <= kBudget);
  CHECK(fleet.most_patches_of_one() <= 8);  // ceil(log2 100) + 1

  fleet.server.forget_calls();
  for (int i = 10; i < 100; ++i) fleet.server.erase(resources::pods, "shop", "app-" + std::to_string(i));
  fleet.settle();
  CHECK(fleet.each_has(1));  // not yet
  REQUIRE(eventually([&] { return fleet.each_has(8); }, 10s));
  // One, or the same again by a look at the Pod before the watch brought the first one back.
  CHECK(fleet.most_patches_of_one() <= 2);
  // Pods that are made while others have not heard yet that they must do with less may find no room.
  const auto seen = database.end();
  UNSCOPED_INFO(seen.open_most << " connections at most, " << seen.refused
                               << " tries refused, longest without "
                               << std::chrono::duration<double>(seen.longest_without).count() << " s");
  CHECK(seen.open_most <= kBudget);
  CHECK(seen.longest_without < config::Timeouts().queue);  // no client is told an error
}

TEST_CASE("a Pod that is about to end still counts for the budget, and for nothing else", "[slow]") {
  Fleet fleet;
  fleet.server.put(resources::policies, database_policy());
  const auto replica = fleet.replica();
  REQUIRE(eventually([&] { return fleet.condition("Ready", "db") == "True/Ready"; }));
  for (const auto* name : {"app-0", "app-1", "app-2", "app-3", "app-4"}) fleet.pod(name);
  REQUIRE(eventually([&] { return fleet.each_has(16); }));
  Json leaving = fleet.server.get(resources::pods, "shop", "app-4");
  leaving["metadata"]["deletionTimestamp"] = kube::rfc3339(std::chrono::system_clock::now());
  fleet.server.put(resources::pods, leaving);
  REQUIRE(eventually([&] { return fleet.counts("db")["injected"] == 4; }));
  std::this_thread::sleep_for(kQuietBeforeGrowth + 1s);  // nothing must happen in that time
  CHECK(fleet.each_has(16));
  fleet.server.erase(resources::pods, "shop", "app-4");
  REQUIRE(eventually([&] { return fleet.each_has(32); }, 10s));
}

TEST_CASE("a budget that is changed or taken away reaches running Pods") {
  Fleet fleet;
  fleet.server.put(resources::policies, database_policy(64));
  const auto replica = fleet.replica();
  REQUIRE(eventually([&] { return fleet.condition("Ready", "db") == "True/Ready"; }));
  for (const auto* name : {"app-0", "app-1"}) fleet.pod(name);
  REQUIRE(eventually([&] { return fleet.each_has(32); }));
  const auto change = [&](const Json& spec) {
    Json document = fleet.policy("db");
    document["spec"] = spec;
    fleet.server.put(resources::policies, document);
  };
  change(database_policy(16)["spec"]);
  REQUIRE(eventually([&] { return fleet.each_has(8); }));
  Json without = database_policy()["spec"];
  without.erase("connectionBudget");
  change(without);
  REQUIRE(eventually([&] { return fleet.each_has(40); }));
  CHECK(eventually([&] { return !fleet.policy("db")["status"].contains("connectionsPerPod"); }));
}
