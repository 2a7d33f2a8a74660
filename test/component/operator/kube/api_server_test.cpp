// The client against a real kube-apiserver: what a fake one cannot prove.
#include <catch2/catch.hpp>
#include <fstream>
#include <mutex>

#include "operator/kube/client.hpp"
#include "operator/kube/cpprest_transport.hpp"
#include "operator/kube/event_recorder.hpp"
#include "operator/kube/informer.hpp"
#include "operator/kube/leader.hpp"
#include "test/component/operator/kube/control_plane.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using kube::Json;
using test::ControlPlane;
using test::eventually;
namespace resources = kube::resources;

namespace {
constexpr kube::Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};

kube::Client connect() {
  return kube::Client(kube::cpprest_transport(ControlPlane::get().config()));
}

Json config_map(const std::string& name, const std::string& value) {
  return {{"metadata", {{"name", name}, {"namespace", "default"}, {"labels", {{"test", "client"}}}}},
          {"data", {{"key", value}}}};
}

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}
}  // namespace

TEST_CASE("objects are created, read, changed under their lock, applied and deleted", "[real]") {
  const auto client = connect();
  const auto made = client.create(kConfigMaps, "default", config_map("crud", "1"));
  REQUIRE(made.ok());
  CHECK(client.create(kConfigMaps, "default", config_map("crud", "1")).error().already_exists());

  Json changed = **made;
  changed["data"]["key"] = "2";
  REQUIRE(client.update(kConfigMaps, changed).ok());
  CHECK(client.update(kConfigMaps, changed).error().conflict());

  const Json mine = {{"metadata", {{"uid", kube::uid_of(**made)}}}, {"data", {{"key", "3"}}}};
  REQUIRE(client.patch(kConfigMaps, "default", "crud", kube::PatchType::merge, mine).ok());
  const Json others = {{"metadata", {{"uid", "0000"}}}, {"data", {{"key", "4"}}}};
  CHECK(client.patch(kConfigMaps, "default", "crud", kube::PatchType::merge, others).error().conflict());
  const Json operation = Json::array({{{"op", "replace"}, {"path", "/data/key"}, {"value", "5"}}});
  REQUIRE(client.patch(kConfigMaps, "default", "crud", kube::PatchType::json, operation).ok());

  kube::WriteOptions other_manager;
  other_manager.field_manager = "somebody-else";
  const Json applied = {{"data", {{"key", "6"}}}};
  CHECK(client.apply(kConfigMaps, "default", "crud", applied, "", other_manager).error().conflict());
  other_manager.force = true;
  REQUIRE(client.apply(kConfigMaps, "default", "crud", applied, "", other_manager).ok());
  CHECK(kube::string_at(**client.get(kConfigMaps, "default", "crud"), {"data", "key"}) == "6");

  kube::WriteOptions dry;
  dry.dry_run = true;
  REQUIRE(client.remove(kConfigMaps, "default", "crud", "", dry).ok());
  CHECK(client.remove(kConfigMaps, "default", "crud", "0000").error().conflict());
  REQUIRE(client.remove(kConfigMaps, "default", "crud", kube::uid_of(**made)).ok());
  CHECK(client.get(kConfigMaps, "default", "crud").error().not_found());
}

TEST_CASE("a token that is rotated in its file is used from the next refusal on", "[real]") {
  auto& plane = ControlPlane::get();
  const std::string file = plane.folder() + "/rotating-token";
  std::ofstream(file) << plane.token() << "\n";
  auto config = plane.config();
  config.client_certificate = {};
  config.client_key = {};
  config.token.file = file;
  const kube::Client client(kube::cpprest_transport(config));
  REQUIRE(client.get_path("/version").ok());
  REQUIRE(client.get(resources::namespaces, "", "default").ok());

  std::ofstream(file) << "not-a-token";
  auto stale = kube::cpprest_transport(config);  // reads the wrong one
  const kube::Client refused(stale);
  CHECK(refused.get(resources::namespaces, "", "default").error().code == 401);
  std::ofstream(file) << plane.token();
  CHECK(refused.get(resources::namespaces, "", "default").ok());  // at once, not when its cache is old
}

TEST_CASE("a server that the CA does not vouch for is not spoken to", "[real]") {
  auto config = ControlPlane::get().config();
  config.ca = {};  // the system's roots
  CHECK(kube::Client(kube::cpprest_transport(config)).get_path("/version").error().unreachable());
  config = ControlPlane::get().config();
  config.tls_server_name = "some.other.name";
  CHECK(kube::Client(kube::cpprest_transport(config)).get_path("/version").error().unreachable());
}

TEST_CASE("a CA that is replaced in its file is used for the connections after it", "[real]") {
  auto& plane = ControlPlane::get();
  const std::string file = plane.folder() + "/rotating-ca";
  auto config = plane.config();
  std::ifstream right(config.ca.file);
  const std::string pem((std::istreambuf_iterator<char>(right)), {});
  std::ofstream(file) << "";  // not there yet: the system's roots
  config.ca.file = file;
  const kube::Client client(kube::cpprest_transport(config));
  CHECK_FALSE(client.get_path("/version").ok());
  std::ofstream(file) << pem;
  CHECK(eventually([&] { return client.get_path("/version").ok(); }, 20s));
}

TEST_CASE("watch events arrive as they come, large ones whole, and a stop ends it at once", "[real]") {
  const auto client = connect();
  const auto listed = client.list(kConfigMaps, {"default", "test=client", ""});
  REQUIRE(listed.ok());
  std::mutex mutex;
  std::map<std::string, std::size_t> seen;  // name -> bytes
  std::stop_source stop;
  std::jthread watcher([&] {
    (void)client.watch(
        kConfigMaps, {"default", "test=client", ""}, listed->resource_version,
        [&](kube::WatchEvent event) {
          const std::lock_guard lock(mutex);
          seen[kube::name_of(*event.object)] = kube::string_at(*event.object, {"data", "key"}).size();
        },
        stop.get_token());
  });
  std::this_thread::sleep_for(300ms);  // until it is open; nothing tells
  REQUIRE(client.create(kConfigMaps, "default", config_map("small", "x")).ok());
  const auto arrives = [&](const std::string& name) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return seen.contains(name);
    });
  };
  REQUIRE(arrives("small"));  // nothing comes behind it that could push it on
  REQUIRE(client.create(kConfigMaps, "default", config_map("large", std::string(900'000, 'x'))).ok());
  REQUIRE(arrives("large"));
  CHECK(seen["large"] == 900'000);
  const auto stopping = std::chrono::steady_clock::now();
  stop.request_stop();
  watcher.join();
  CHECK(milliseconds_since(stopping) < 5000);  // a bookmark would come after a minute
  CHECK(client.remove(kConfigMaps, "default", "small").ok());
  CHECK(client.remove(kConfigMaps, "default", "large").ok());
}

TEST_CASE("a selector that the server refuses says so, and a watch of it too", "[real]") {
  const auto client = connect();
  const auto listed = client.list(kConfigMaps, {"", "a==b==c", ""});
  REQUIRE_FALSE(listed.ok());
  CHECK(listed.error().code == 400);
  CHECK(
      client.watch(kConfigMaps, {"", "a==b==c", ""}, "0", [](const kube::WatchEvent&) {}, {}).error().code ==
      400);
}

TEST_CASE("lists of more than a page come whole", "[real]") {
  const auto client = connect();
  for (int i = 0; i < 1100; ++i) {
    auto one = config_map("page-" + std::to_string(i), "x");
    one["metadata"]["labels"]["test"] = "pages";
    REQUIRE(client.create(kConfigMaps, "default", one).ok());
  }
  const auto page = client.list(kConfigMaps, {"default", "test=pages", ""});
  REQUIRE(page.ok());
  CHECK(page->items.size() == 1100);
}

TEST_CASE("events pass the API server's validation, a series included", "[real]") {
  const auto client = connect();
  const auto about = client.get(resources::namespaces, "", "default");
  REQUIRE(about.ok());
  kube::EventRecorder recorder(client, {.instance = "test-instance", .series_interval = 50ms});
  recorder.start();
  recorder.record(**about, kube::EventType::warning, "Tested", "Test", "once");
  REQUIRE(eventually([&] { return recorder.written() == 1; }));
  for (int i = 0; i < 4; ++i) recorder.record(**about, kube::EventType::warning, "Tested", "Test", "once");
  REQUIRE(eventually([&] { return recorder.written() >= 2; }));
  CHECK(recorder.dropped() == 0);
  const auto events = client.list(resources::events, {"default", "", ""});
  REQUIRE(events.ok());
  bool found = false;
  for (const auto& event : events->items) {
    if (kube::string_at(*event, {"reason"}) != "Tested") continue;
    found = true;
    CHECK(*kube::at(*event, {"series", "count"}) == 5);
  }
  CHECK(found);
}

TEST_CASE("two candidates, one leader, and a hand-over on release", "[real]") {
  const auto client = connect();
  const auto options = [](const std::string& identity) {
    return kube::LeaderOptions{.name_space = "default",
                               .name = "election",
                               .identity = identity,
                               .lease_duration = 15s,
                               .renew_deadline = 10s,
                               .retry_period = 300ms};
  };
  std::atomic<bool> a_works{false};
  std::atomic<bool> b_works{false};
  kube::LeaderElector a(client, options("a"), {[&] { a_works = true; }, [&] { a_works = false; }});
  kube::LeaderElector b(client, options("b"), {[&] { b_works = true; }, [&] { b_works = false; }});
  a.start();
  REQUIRE(eventually([&] { return a_works.load(); }));
  b.start();
  std::this_thread::sleep_for(1s);
  CHECK_FALSE(b_works);
  const auto begin = std::chrono::steady_clock::now();
  a.stop();
  REQUIRE(eventually([&] { return b_works.load(); }));
  CHECK(milliseconds_since(begin) < 10'000);  // the lease would run for 15 s
  CHECK_FALSE(a.is_leader());
}

TEST_CASE("an informer lives through a frozen API server and through a dead one", "[real]") {
  auto& plane = ControlPlane::get();
  const auto client = connect();
  kube::InformerOptions options{.resource = kConfigMaps};
  options.label_selector = "test=outage";
  options.watch_idle = 2s;  // the real one waits for two bookmarks, which come a minute apart
  options.backoff_cap = 500ms;
  kube::Informer informer(client, options);
  informer.start();
  REQUIRE(eventually([&] { return informer.has_synced(); }));
  const auto create = [&](const std::string& name) {
    auto one = config_map(name, "x");
    one["metadata"]["labels"]["test"] = "outage";
    return client.create(kConfigMaps, "default", one);
  };
  REQUIRE(create("before").ok());
  REQUIRE(eventually([&] { return informer.store().size() == 1; }));

  plane.pause();
  const auto frozen = std::chrono::steady_clock::now();
  const auto answer = client.get(kConfigMaps, "default", "before", {.timeout = 1s});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().unreachable());
  CHECK(milliseconds_since(frozen) < 4000);
  const auto restarts = informer.watch_restarts();
  REQUIRE(eventually([&] { return informer.watch_restarts() > restarts; }));
  plane.resume();
  REQUIRE(eventually([&] { return create("after-freeze").ok(); }));
  REQUIRE(eventually([&] { return informer.store().size() == 2; }));

  plane.kill();
  CHECK(client.get(kConfigMaps, "default", "before", {.timeout = 1s}).error().unreachable());
  CHECK(informer.store().size() == 2);
  plane.start();
  REQUIRE(eventually([&] { return create("after-death").ok(); }, 30s));
  REQUIRE(eventually([&] { return informer.store().size() == 3; }, 30s));
}

TEST_CASE("a watch from before the API server's memory is expired", "[real]") {
  auto& plane = ControlPlane::get();
  plane.kill();
  plane.start();  // its watch cache begins here
  const auto client = connect();
  std::stop_source stop;
  std::jthread bound([&](std::stop_token ended) {
    for (int i = 0; i < 100 && !ended.stop_requested(); ++i) std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const auto ended = client.watch(
      kConfigMaps, {}, "1", [](const kube::WatchEvent&) {}, stop.get_token());
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error().expired());
}
