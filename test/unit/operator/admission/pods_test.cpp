#include <catch2/catch.hpp>
#include <mutex>
#include <set>

#include "test/unit/operator/admission/world.hpp"

using namespace ambassador;
using namespace ambassador::test;

namespace {
std::string message_of(const Json& response) {
  return response.at("status").at("message").get<std::string>();
}
/// The environment that admission pinned, from the status annotation in the patch.
bool mentions(const Json& patch, const std::string& text) {
  return patch.dump().find(text) != std::string::npos;
}
bool counted(World& world, const std::string& line) {
  return world.metrics.text().find(line) != std::string::npos;
}
}  // namespace

TEST_CASE("a Pod that asks is injected from the cache, without a call to the API server") {
  World world;
  REQUIRE(test::eventually([&] { return world.server.watches() == 4; }));  // the caches ask no more
  const auto before = world.server.seen().size();
  const auto response = world.mutate(review_of(pod(), "shop"));
  CHECK(response.at("uid") == "uid-1");
  CHECK(response.at("allowed") == true);
  const auto patch = World::patch_of(response);
  CHECK(mentions(patch, "ambassador-container"));
  CHECK(mentions(patch, "production"));  // by the label of the namespace
  CHECK(world.server.seen().size() == before);
  CHECK(counted(world, R"(ambassador_operator_admission_requests_total{reason="",result="Injected"} 1)"));
}

TEST_CASE("a Pod that does not ask is let through untouched, and nobody is asked about it") {
  World world;
  const auto response = world.mutate(review_of(pod(Json::object()), "nobody-knows"));
  CHECK(response.at("allowed") == true);
  CHECK_FALSE(response.contains("patch"));
  CHECK(world.reader.reads() == 0);
}

TEST_CASE("a policy that the cache does not know yet is found by one live read") {
  std::mutex mutex;
  std::set<std::string> refused;
  World world;  // its threads use both until it ends
  // No cache hears of what comes now: once the watch of each is refused, it has none.
  world.server.on_call([&](const kube::Request& request) -> std::optional<Fault> {
    if (request.target.find("watch=") == std::string::npos) return std::nullopt;
    const std::lock_guard lock(mutex);
    refused.insert(request.target.substr(0, request.target.find('?')));
    return Fault{};
  });
  REQUIRE(test::eventually([&] {
    world.server.cut_watches();
    const std::lock_guard lock(mutex);
    return refused.size() == 4;  // policies, cluster policies, namespaces, nodes
  }));
  world.make_namespace("new", {{"environment", "production"}});
  world.server.put(kube::resources::policies, policy("new", "data"));
  const auto patch = World::patch_of(world.mutate(review_of(pod(), "new")));
  CHECK(mentions(patch, "ambassador-container"));
  CHECK(mentions(patch, "production"));
  CHECK(world.reader.reads() == 1);
  CHECK(counted(world, R"(ambassador_operator_live_reads_total{result="Answered"} 1)"));
}

TEST_CASE("a policy that is nowhere is a denial that names it") {
  World world;
  const auto response = world.mutate(review_of(pod({{"ambassador.dev/policy", "missing"}}), "empty"));
  CHECK(response.at("allowed") == false);
  CHECK(message_of(response).find("missing") != std::string::npos);
  CHECK(world.reader.reads() == 1);
}

TEST_CASE("while the API server does not answer, the denial says so and comes within the limit") {
  World world({}, {.limit = std::chrono::milliseconds(200)});
  world.server.set_away(true);
  const auto began = std::chrono::steady_clock::now();
  const auto response = world.mutate(review_of(pod(), "empty"));
  CHECK(response.at("allowed") == false);
  CHECK(message_of(response).find("looked for on the API server") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(2));
  SECTION("and what the cache knows is still injected") {
    CHECK(mentions(World::patch_of(world.mutate(review_of(pod(), "shop"))), "ambassador-container"));
  }
}

TEST_CASE("an API server that answers a read too late holds up nobody for longer than the limit") {
  World world({}, {.limit = std::chrono::milliseconds(300), .threads = 1});
  world.server.on_call([](const kube::Request& request) -> std::optional<Fault> {
    if (request.target.find("watch=") == std::string::npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      return Fault{};
    }
    return std::nullopt;
  });
  const auto response = world.mutate(review_of(pod(), "empty"));
  CHECK(response.at("allowed") == false);
}

TEST_CASE("a hundred Pods that miss at once share few reads, and each gets its answer") {
  World world;
  std::vector<std::future<Json>> answers;
  for (int i = 0; i < 100; ++i) {
    answers.push_back(std::async(std::launch::async, [&world, i] {
      return world.mutate(review_of(pod(), "empty", "uid-" + std::to_string(i)));
    }));
  }
  for (int i = 0; i < 100; ++i) {
    const auto response = answers[static_cast<std::size_t>(i)].get();
    CHECK(response.at("uid") == "uid-" + std::to_string(i));
    CHECK(response.at("allowed") == false);
  }
  CHECK(world.reader.reads() <= 100);
}

TEST_CASE("beyond the number of Pods that may wait, the next is refused at once") {
  World world({}, {.max_waiting = 0});
  const auto response = world.mutate(review_of(pod(), "empty"));
  CHECK(message_of(response).find("too many Pods wait") != std::string::npos);
}

TEST_CASE("the namespace counts that the request names, not the Pod's own") {
  World world;
  auto strange = pod();
  strange["metadata"]["namespace"] = "shop";
  CHECK(world.mutate(review_of(strange, "empty")).at("allowed") == false);
}

TEST_CASE("a Pod in a namespace that does not count is let through") {
  World world({"shop"});
  const auto response = world.mutate(review_of(pod(), "empty"));
  CHECK(response.at("allowed") == true);
  CHECK_FALSE(response.contains("patch"));
  CHECK(counted(world, R"(reason="NamespaceNotWatched")"));
}

TEST_CASE("a Pod merely let through in a namespace nobody knows costs no read; one that asks costs one") {
  World world;
  (void)world.mutate(review_of(pod({{"ambassador.dev/inject", "false"}, {"other", "x"}}), "unknown"));
  CHECK(world.reader.reads() == 0);
  CHECK(world.mutate(review_of(pod(), "unknown")).at("allowed") == false);
  CHECK(world.reader.reads() == 1);
}

TEST_CASE("policies follow the API server: a new one counts, a deleted one does not") {
  World world;
  world.server.put(kube::resources::policies, policy("empty", "late"));
  REQUIRE(eventually([&] { return world.view.policies_for("empty").size() == 1; }));
  world.server.erase(kube::resources::policies, "empty", "late");
  REQUIRE(eventually([&] { return world.view.policies_for("empty").empty(); }));
}

TEST_CASE("the versions of API server and nodes reach the installation") {
  World world;
  CHECK(world.view.installation()->oldest_node_minor == 0);
  world.server.put(kube::resources::nodes, {{"metadata", {{"name", "one"}}},
                                            {"status", {{"nodeInfo", {{"kubeletVersion", "v1.28.3"}}}}}});
  REQUIRE(eventually([&] { return world.view.installation()->oldest_node_minor == 28; }));
}
