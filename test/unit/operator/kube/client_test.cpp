#include "operator/kube/client.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using kube::Json;
namespace resources = kube::resources;

namespace {
Json service(const std::string& name) {
  return {{"metadata", {{"name", name}, {"namespace", "shop"}, {"labels", {{"app", name}}}}}};
}
}  // namespace

TEST_CASE("a missing object is a NotFound that names the call") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  const auto answer = client.get(resources::services, "shop", "redis");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().not_found());
  CHECK(answer.error().text() ==
        "GET /api/v1/namespaces/shop/services/redis: 404 NotFound: \"redis\" not found");
}

TEST_CASE("an object is created, read, updated under its lock and deleted") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  const auto made = client.create(resources::services, "shop", service("redis"));
  REQUIRE(made.ok());
  CHECK(kube::string_at(**made, {"kind"}) == "Service");
  CHECK(client.create(resources::services, "shop", service("redis")).error().already_exists());

  Json changed = **made;
  changed["metadata"]["labels"]["tier"] = "cache";
  REQUIRE(client.update(resources::services, changed).ok());
  changed["metadata"]["labels"]["tier"] = "other";
  CHECK(client.update(resources::services, changed).error().conflict());  // resourceVersion is the first one

  CHECK(client.remove(resources::services, "shop", "redis", "some-other-uid").error().conflict());
  CHECK(client.remove(resources::services, "shop", "redis", kube::uid_of(**made)).ok());
  CHECK(client.get(resources::services, "shop", "redis").error().not_found());
}

TEST_CASE("a list of many pages comes whole, each item with its kind and without managedFields") {
  test::FakeApiServer server;
  for (int i = 0; i < 1203; ++i) {
    Json one = service("s" + std::to_string(i));
    one["metadata"]["managedFields"] = Json::array({"long"});
    server.put(resources::services, one);
  }
  const kube::Client client(server.factory());
  const auto page = client.list(resources::services, {});
  REQUIRE(page.ok());
  CHECK(page->items.size() == 1203);
  CHECK(page->resource_version == std::to_string(server.version()));
  CHECK(kube::string_at(*page->items[7], {"kind"}) == "Service");
  CHECK(kube::at(*page->items[7], {"metadata", "managedFields"}) == nullptr);
  CHECK(server.seen().size() == 3);  // 500 a page
  const auto selected = client.list(resources::services, {"shop", "app=s7", ""});
  REQUIRE(selected.ok());
  CHECK(selected->items.size() == 1);
}

TEST_CASE("a continue token that expires half-way starts the list over, once") {
  test::FakeApiServer server;
  for (int i = 0; i < 600; ++i) server.put(resources::services, service("s" + std::to_string(i)));
  int expire = 1;
  server.on_call([&](const kube::Request& request) -> std::optional<test::Fault> {
    if (request.target.find("continue=") == std::string::npos || expire-- <= 0) return std::nullopt;
    return test::Fault{test::Fault::Kind::status, 410, "Expired"};
  });
  const kube::Client client(server.factory());
  const auto page = client.list(resources::services, {});
  REQUIRE(page.ok());
  CHECK(page->items.size() == 600);

  expire = 2;
  CHECK(client.list(resources::services, {}).error().expired());
}

TEST_CASE("429 with Retry-After is waited for and asked again, within the call's time") {
  test::FakeApiServer server;
  server.put(resources::services, service("redis"));
  int refusals = 1;
  server.on_call([&](const kube::Request&) -> std::optional<test::Fault> {
    if (refusals-- <= 0) return std::nullopt;
    return test::Fault{test::Fault::Kind::status, 429, "TooManyRequests", 1s};
  });
  const kube::Client client(server.factory());
  const auto begin = std::chrono::steady_clock::now();
  CHECK(client.get(resources::services, "shop", "redis").ok());
  CHECK(std::chrono::steady_clock::now() - begin >= 1s);

  refusals = 100;
  const auto late = client.get(resources::services, "shop", "redis", {.timeout = 500ms});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == 429);
  CHECK(late.error().retryable());
}

TEST_CASE("a 503 is asked again for reads, not for creates, which may have happened") {
  test::FakeApiServer server;
  server.put(resources::services, service("redis"));
  int calls = 0;
  server.on_call([&](const kube::Request&) -> std::optional<test::Fault> {
    if (++calls % 2 == 0) return std::nullopt;
    return test::Fault{test::Fault::Kind::status, 503, "ServiceUnavailable", 0s};
  });
  const kube::Client client(server.factory());
  CHECK(client.get(resources::services, "shop", "redis").ok());
  CHECK(client.create(resources::services, "shop", service("other")).error().code == 503);
}

TEST_CASE("a stop ends a wait for Retry-After at once") {
  test::FakeApiServer server;
  server.on_call([](const kube::Request&) -> std::optional<test::Fault> {
    return test::Fault{test::Fault::Kind::status, 429, "TooManyRequests", 20s};
  });
  const kube::Client client(server.factory());
  std::stop_source stop;
  const auto begin = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  CHECK_FALSE(
      client.get(resources::services, "shop", "redis", {.timeout = 60s, .stop = stop.get_token()}).ok());
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("patches name their form, field manager, dry run and force") {
  test::FakeApiServer server;
  server.put(resources::pods, {{"metadata", {{"name", "a b"}, {"namespace", "shop"}, {"uid", "u1"}}}});
  const kube::Client client(server.factory());
  const Json merge = {{"metadata", {{"uid", "u1"}, {"annotations", {{"k", "v"}}}}}};
  REQUIRE(client.patch(resources::pods, "shop", "a b", kube::PatchType::merge, merge).ok());
  const Json other = {{"metadata", {{"uid", "u2"}, {"annotations", {{"k", "w"}}}}}};
  CHECK(client.patch(resources::pods, "shop", "a b", kube::PatchType::merge, other).error().conflict());
  kube::WriteOptions forced;
  forced.force = true;
  forced.dry_run = true;
  forced.field_manager = "me";
  REQUIRE(client.apply(resources::pods, "shop", "a b", Json::object(), "status", forced).ok());

  const auto seen = server.writes();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].path == "/api/v1/namespaces/shop/pods/a%20b");
  CHECK(seen[0].query == "fieldManager=ambassador-operator");
  CHECK(seen[0].content_type == "application/merge-patch+json");
  CHECK(seen[2].path == "/api/v1/namespaces/shop/pods/a%20b/status");
  CHECK(seen[2].query == "fieldManager=me&force=true&dryRun=All");
  CHECK(seen[2].content_type == "application/apply-patch+yaml");
  CHECK(seen[2].body ==
        Json{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "a b"}, {"namespace", "shop"}}}});
}

TEST_CASE("an eviction that a disruption budget forbids is told at once") {
  test::FakeApiServer server;
  server.on_call([](const kube::Request&) -> std::optional<test::Fault> {
    return test::Fault{test::Fault::Kind::status, 429, "TooManyRequests", 10s};
  });
  const kube::Client client(server.factory());
  const auto answer = client.evict("shop", "app-1", "u1");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == 429);
  CHECK(server.seen().at(0).path == "/api/v1/namespaces/shop/pods/app-1/eviction");
  CHECK(server.seen().at(0).body["deleteOptions"]["preconditions"]["uid"] == "u1");
}

TEST_CASE("a watch tells of what happens after its resourceVersion, and 410 is an expired error") {
  test::FakeApiServer server;
  server.put(resources::services, service("old"));
  const auto version = std::to_string(server.version());
  const kube::Client client(server.factory());
  server.put(resources::services, service("new"));
  server.erase(resources::services, "shop", "old");
  server.bookmark();
  std::vector<kube::WatchEvent> events;
  std::stop_source stop;
  const auto ended = client.watch(
      resources::services, {}, version,
      [&](kube::WatchEvent event) {
        events.push_back(std::move(event));
        if (events.size() == 3) stop.request_stop();
      },
      stop.get_token());
  CHECK(ended.ok());
  REQUIRE(events.size() == 3);
  CHECK(events[0].type == kube::WatchEvent::Type::added);
  CHECK(kube::name_of(*events[0].object) == "new");
  CHECK(events[1].type == kube::WatchEvent::Type::deleted);
  CHECK(events[2].type == kube::WatchEvent::Type::bookmark);
  CHECK(kube::resource_version_of(*events[2].object) == std::to_string(server.version()));

  server.compact();
  const auto late = client.watch(resources::services, {}, version, [](const kube::WatchEvent&) {}, {});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().expired());
}
