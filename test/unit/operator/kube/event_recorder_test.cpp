#include "operator/kube/event_recorder.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/kube/timestamp.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using kube::Json;
using test::eventually;

namespace {
const Json kPod = {{"apiVersion", "v1"},
                   {"kind", "Pod"},
                   {"metadata", {{"name", "app-1"}, {"namespace", "shop"}, {"uid", "u1"}}}};

std::vector<Json> events(const test::FakeApiServer& server) {
  return server.all(kube::resources::events);
}
}  // namespace

TEST_CASE("an event says what, why, about whom and by whom") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  kube::EventRecorder recorder(client, {.instance = "operator-x"});
  recorder.start();
  recorder.record(kPod, kube::EventType::warning, "Refused", "Inject", std::string(2000, 'x'));
  REQUIRE(eventually([&] { return recorder.written() == 1; }));
  const Json event = events(server).at(0);
  CHECK(event["regarding"] ==
        Json{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", "app-1"}, {"namespace", "shop"}, {"uid", "u1"}});
  CHECK(event["type"] == "Warning");
  CHECK(event["reason"] == "Refused");
  CHECK(event["action"] == "Inject");
  CHECK(event["note"].get<std::string>().size() == 1024);
  CHECK(event["reportingController"] == "ambassador.dev/operator");
  CHECK(event["reportingInstance"] == "operator-x");
  CHECK(kube::parse_rfc3339(event["eventTime"].get<std::string>()));
  CHECK(event["metadata"]["namespace"] == "shop");
}

TEST_CASE("the same event again is a series of the first, another one is another") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  kube::EventRecorder recorder(client, {.instance = "x", .series_interval = 20ms});
  recorder.start();
  for (int i = 0; i < 50; ++i) recorder.record(kPod, kube::EventType::normal, "Injected", "Inject", "same");
  recorder.record(kPod, kube::EventType::normal, "Injected", "Inject", "different");
  REQUIRE(eventually([&] {
    const auto now = events(server);
    return now.size() == 2 && std::any_of(now.begin(), now.end(), [](const Json& one) {
             return one.contains("series") && one["series"]["count"] == 50;
           });
  }));
}

TEST_CASE("an event about a cluster-wide object lives in the default namespace") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  kube::EventRecorder recorder(client, {.instance = "x"});
  recorder.start();
  recorder.record({{"apiVersion", "ambassador.dev/v1alpha1"},
                   {"kind", "ClusterAmbassadorPolicy"},
                   {"metadata", {{"name", "all"}, {"uid", "u"}}}},
                  kube::EventType::normal, "Accepted", "Reconcile", "fine");
  REQUIRE(eventually([&] { return recorder.written() == 1; }));
  CHECK(kube::namespace_of(events(server).at(0)) == "default");
  CHECK_FALSE(events(server).at(0)["regarding"].contains("namespace"));
}

TEST_CASE("recording never waits: while the API server is away events are dropped and counted") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  kube::EventRecorder recorder(client,
                               {.instance = "x", .queue_limit = 10});  // not started: nothing drains it
  for (int i = 0; i < 30; ++i) {
    recorder.record(kPod, kube::EventType::normal, "R", "A", std::to_string(i));
  }
  CHECK(recorder.dropped() == 20);
}

TEST_CASE("what is queued at the stop is still written") {
  test::FakeApiServer server;
  const kube::Client client(server.factory());
  kube::EventRecorder recorder(client, {.instance = "x"});
  for (int i = 0; i < 20; ++i) {
    recorder.record(kPod, kube::EventType::normal, "R", "A", std::to_string(i));
  }
  recorder.start();
  recorder.stop();
  CHECK(events(server).size() == 20);
}
