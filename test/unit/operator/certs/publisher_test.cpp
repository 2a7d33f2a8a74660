#include "operator/certs/publisher.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/certs/authority.hpp"
#include "operator/certs/webhook_trust.hpp"
#include "operator/kube/base64.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace ambassador::certs;
using ambassador::test::eventually;
using ambassador::test::FakeApiServer;
using ambassador::test::Fault;

namespace {
const std::string kName = "operator.system.svc";

struct Installation {
  FakeApiServer server;
  kube::Client client{server.factory()};
  KeyPair ca = make_ca(std::chrono::system_clock::now()).value();
  KeyPair leaf = issue(ca, {kName}, std::chrono::system_clock::now()).value();
  PublisherOptions options{.annotated = "annotated",
                           .policies = "policies",
                           .dns_name = kName,
                           .retry = std::chrono::milliseconds(10)};

  Installation() {
    put(kube::resources::mutating_webhooks, "annotated");
    put(kube::resources::validating_webhooks, "policies");
  }
  void put(const kube::Resource& resource, const std::string& name) {
    server.put(resource, {{"metadata", {{"name", name}}},
                          {"webhooks",
                           {{{"name", "a.ambassador.dev"},
                             {"clientConfig", kube::Json::object()},
                             {"matchConditions", {{{"name", "asks"}}}}}}}});
  }
  bool published(const kube::Resource& resource, const std::string& name) {
    return trusts(server.get(resource, "", name), ca.certificate);
  }
  bool published() {
    return published(kube::resources::mutating_webhooks, "annotated") &&
           published(kube::resources::validating_webhooks, "policies");
  }
};
}  // namespace

TEST_CASE("both configurations get the bundle, under a field manager of its own") {
  Installation installation;
  Publisher publisher(installation.client, installation.options);
  publisher.start();
  CHECK_FALSE(publisher.accepted(installation.leaf.certificate).ok());
  publisher.publish(installation.ca.certificate);
  REQUIRE(eventually([&] { return installation.published(); }));
  REQUIRE(eventually([&] { return publisher.accepted(installation.leaf.certificate).ok(); }));
  CHECK(publisher.trusted(installation.ca.certificate));
  int applied = 0;
  for (const auto& call : installation.server.seen()) {
    if (call.method != kube::Method::patch) continue;
    ++applied;
    CHECK(call.content_type == "application/apply-patch+yaml");
    CHECK(call.query.find("fieldManager=ambassador-operator-certificates") != std::string::npos);
    CHECK(call.query.find("force=true") != std::string::npos);
  }
  CHECK(applied == 2);
}

TEST_CASE("a bundle that somebody takes away is put back") {
  Installation installation;
  Publisher publisher(installation.client, installation.options);
  publisher.start();
  publisher.publish(installation.ca.certificate);
  REQUIRE(eventually([&] { return installation.published(); }));
  installation.put(kube::resources::mutating_webhooks, "annotated");
  REQUIRE(eventually([&] { return installation.published(); }));
}

TEST_CASE("a write that is refused is tried again until it succeeds") {
  Installation installation;
  std::atomic<int> refused{0};
  installation.server.on_call([&](const kube::Request& request) -> std::optional<Fault> {
    if (request.method != kube::Method::patch || ++refused > 3) return std::nullopt;
    return Fault{.kind = Fault::Kind::status, .status = 403, .reason = "Forbidden"};
  });
  Publisher publisher(installation.client, installation.options);
  publisher.start();
  publisher.publish(installation.ca.certificate);
  CHECK(eventually([&] { return installation.published(); }));
}

TEST_CASE("with cert-manager nothing is written") {
  Installation installation;
  installation.options.origin = Origin::cert_manager;
  Publisher publisher(installation.client, installation.options);
  publisher.start();
  publisher.publish(installation.ca.certificate);
  REQUIRE(eventually([&] { return publisher.intact().ok(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  for (const auto& call : installation.server.seen()) CHECK(call.method == kube::Method::get);
}

TEST_CASE("lost matchConditions are reported with the way out") {
  Installation installation;
  Publisher publisher(installation.client, installation.options);
  CHECK(publisher.intact().error().text() == "annotated: this MutatingWebhookConfiguration is not there");
  publisher.start();
  REQUIRE(eventually([&] { return publisher.intact().ok(); }));
  auto broken = installation.server.get(kube::resources::mutating_webhooks, "", "annotated");
  broken["webhooks"][0].erase("matchConditions");
  installation.server.put(kube::resources::mutating_webhooks, broken);
  REQUIRE(eventually([&] { return !publisher.intact().ok(); }));
  CHECK(publisher.intact().error().text().find("apply the chart again") != std::string::npos);
}
