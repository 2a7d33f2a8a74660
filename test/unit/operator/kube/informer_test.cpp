#include "operator/kube/informer.hpp"

#include <catch2/catch.hpp>
#include <mutex>
#include <nlohmann/json.hpp>

#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using kube::Json;
using test::eventually;
namespace resources = kube::resources;

namespace {
Json pod(const std::string& name, const std::string& phase, const std::string& name_space = "shop") {
  return {{"metadata", {{"name", name}, {"namespace", name_space}, {"labels", {{"app", "shop"}}}}},
          {"spec", {{"containers", Json::array({"much", "text"})}}},
          {"status", {{"phase", phase}}}};
}

/// What handlers heard, as "+a", "~a", "-a".
struct SeedAnswer {
  std::mutex mutex;
  std::vector<std::string> changes;
  void operator()(const kube::Object& before, const kube::Object& after) {
    const std::lock_guard lock(mutex);
    changes.push_back((!before ? "+" : !after ? "-" : "~") + kube::name_of(after ? *after : *before));
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(changes, {});
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return changes.size();
  }
};

kube::InformerOptions quick(const kube::Resource& resource = resources::pods) {
  kube::InformerOptions options{.resource = resource};
  options.backoff_floor = 5ms;
  options.backoff_cap = 20ms;
  return options;
}
using Changes = std::vector<std::string>;
}  // namespace

TEST_CASE("an informer knows what is there, then follows") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Pending"));
  const kube::Client client(server.factory());
  SeedAnswer heard;
  kube::Informer informer(client, quick());
  informer.on_change(std::ref(heard));
  CHECK_FALSE(informer.has_synced());
  informer.start();
  REQUIRE(eventually([&] { return informer.has_synced(); }));
  CHECK(heard.take() == Changes{"+a"});
  server.put(resources::pods, pod("b", "Pending"));
  server.put(resources::pods, pod("a", "Running"));
  server.erase(resources::pods, "shop", "b");
  REQUIRE(eventually([&] { return heard.count() == 3; }));
  CHECK(heard.take() == Changes{"+b", "~a", "-b"});
  CHECK(kube::string_at(*informer.store().get("shop/a"), {"status", "phase"}) == "Running");
}

TEST_CASE("a broken watch goes on where it was, without a list and without telling anything twice") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Running"));
  const kube::Client client(server.factory());
  SeedAnswer heard;
  kube::Informer informer(client, quick());
  informer.on_change(std::ref(heard));
  informer.start();
  REQUIRE(eventually([&] { return server.watches() == 1; }));
  heard.take();
  server.cut_watches();
  server.put(resources::pods, pod("b", "Running"));
  REQUIRE(eventually([&] { return heard.count() == 1; }));
  CHECK(heard.take() == Changes{"+b"});
  CHECK(informer.lists() == 1);
  CHECK(informer.watch_restarts() >= 1);
}

TEST_CASE("410 Gone makes a new list, and handlers hear the difference alone") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("stays", "Running"));
  server.put(resources::pods, pod("goes", "Running"));
  server.put(resources::pods, pod("changes", "Pending"));
  const kube::Client client(server.factory());
  SeedAnswer heard;
  kube::Informer informer(client, quick());
  informer.on_change(std::ref(heard));
  informer.start();
  REQUIRE(eventually([&] { return server.watches() == 1; }));
  heard.take();
  server.set_away(true);
  REQUIRE(eventually([&] { return server.watches() == 0; }));
  server.erase(resources::pods, "shop", "goes");
  server.put(resources::pods, pod("changes", "Running"));
  server.put(resources::pods, pod("new", "Running"));
  server.compact();
  CHECK(informer.store().size() == 3);  // away: what was known stays
  CHECK(informer.has_synced());
  server.set_away(false);
  REQUIRE(eventually([&] { return heard.count() == 3; }));
  CHECK(heard.take() == Changes{"~changes", "+new", "-goes"});
  CHECK(informer.lists() == 2);
}

TEST_CASE("410 Gone for a watch that once stood is answered by a list at once, whatever the back-off") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Running"));
  const kube::Client client(server.factory());
  auto options = quick();
  options.backoff_floor = options.backoff_cap = 30s;
  kube::Informer informer(client, std::move(options));
  informer.start();
  REQUIRE(eventually([&] { return server.watches() == 1; }));
  server.put(resources::services, pod("elsewhere", ""));  // the resourceVersion of the watch grows old
  server.compact();
  std::this_thread::sleep_for(1100ms);  // less would be a server that closes at once
  server.cut_watches();
  CHECK(eventually([&] { return informer.lists() == 2 && server.watches() == 1; }));
}

TEST_CASE("bookmarks move the resourceVersion on, so that a quiet watch survives compaction") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Running"));
  const kube::Client client(server.factory());
  kube::Informer informer(client, quick());
  informer.start();
  REQUIRE(eventually([&] { return server.watches() == 1; }));
  for (int i = 0; i < 5; ++i) server.put(resources::services, pod("s" + std::to_string(i), ""));
  const auto silent_before = informer.silence();
  server.bookmark();
  REQUIRE(eventually([&] { return informer.silence() <= silent_before || informer.silence() < 50ms; }));
  std::this_thread::sleep_for(30ms);
  server.compact();
  server.cut_watches();
  REQUIRE(eventually([&] { return informer.watch_restarts() >= 1 && server.watches() == 1; }));
  CHECK(informer.lists() == 1);
}

TEST_CASE("a watch that is silent for too long is opened again") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  auto options = quick();
  options.watch_idle = 1s;
  kube::Informer informer(client, options);
  informer.start();
  REQUIRE(eventually([&] { return informer.watch_restarts() >= 1; }));
  CHECK(informer.lists() == 1);
}

TEST_CASE("the transform drops what nobody reads before it is kept") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Running"));
  const kube::Client client(server.factory());
  auto options = quick();
  options.transform = [](Json& one) { one.erase("spec"); };
  kube::Informer informer(client, options);
  informer.start();
  REQUIRE(eventually([&] { return informer.has_synced(); }));
  CHECK_FALSE(informer.store().get("shop/a")->contains("spec"));
}

TEST_CASE("an object that leaves the selector is gone") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Running"));
  const kube::Client client(server.factory());
  auto options = quick();
  options.label_selector = "app=shop";
  SeedAnswer heard;
  kube::Informer informer(client, options);
  informer.on_change(std::ref(heard));
  informer.start();
  REQUIRE(eventually([&] { return server.watches() == 1; }));
  Json changed = pod("a", "Running");
  changed["metadata"]["labels"]["app"] = "other";
  server.put(resources::pods, changed);
  REQUIRE(eventually([&] { return heard.count() == 2; }));
  CHECK(heard.take() == Changes{"+a", "-a"});
}

TEST_CASE("an informer over named namespaces sees those alone, each with a watch of its own") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Running", "shop"));
  server.put(resources::pods, pod("b", "Running", "checkout"));
  server.put(resources::pods, pod("c", "Running", "elsewhere"));
  const kube::Client client(server.factory());
  auto options = quick();
  options.namespaces = {"shop", "checkout"};
  kube::Informer informer(client, options);
  informer.start();
  REQUIRE(eventually([&] { return informer.has_synced() && server.watches() == 2; }));
  CHECK(informer.store().size() == 2);
  CHECK(informer.store().get("elsewhere/c") == nullptr);
}

TEST_CASE("lists that fail are tried again until they work, and stop() ends at once while they do") {
  test::FakeApiServer server;
  server.put(resources::pods, pod("a", "Running"));
  server.set_away(true);
  const kube::Client client(server.factory());
  std::atomic<int> errors{0};
  auto options = quick();
  options.on_error = [&](const kube::ApiError&) { ++errors; };
  kube::Informer informer(client, options);
  informer.start();
  REQUIRE(eventually([&] { return errors >= 3; }));
  CHECK_FALSE(informer.has_synced());
  server.set_away(false);
  REQUIRE(eventually([&] { return informer.has_synced(); }));
  server.set_away(true);
  informer.stop();
  CHECK(informer.store().size() == 1);
}
