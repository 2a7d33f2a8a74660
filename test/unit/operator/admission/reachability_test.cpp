#include "operator/admission/reachability.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>

#include "operator/admission/webhook.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace ambassador::admission;
using ambassador::test::eventually;
using ambassador::test::FakeApiServer;
using ambassador::test::Fault;
using State = Reachability::State;

namespace {
/// The fake answers a create as `answer` says; without it as an API server that asks no webhook.
struct Cluster {
  FakeApiServer server;
  kube::Client client{server.factory()};
  std::atomic<bool> leads{true};
  std::mutex mutex;
  std::optional<Fault> answer;
  std::vector<std::pair<bool, std::string>> told;

  Cluster() {
    server.on_call([this](const kube::Request&) {
      const std::lock_guard lock(mutex);
      return answer;
    });
  }
  void answers(std::optional<Fault> fault) {
    const std::lock_guard lock(mutex);
    answer = std::move(fault);
  }
  std::vector<std::pair<bool, std::string>> heard() {
    const std::lock_guard lock(mutex);
    return told;
  }
  ReachabilityOptions options() {
    ReachabilityOptions options;
    options.name_space = "system";
    options.interval = std::chrono::milliseconds(5);
    options.retry = std::chrono::milliseconds(5);
    options.wanted = [this] { return leads.load(); };
    options.changed = [this](bool reached, const std::string& why) {
      const std::lock_guard lock(mutex);
      told.emplace_back(reached, why);
    };
    return options;
  }
};
Fault refusal(const std::string& message) {
  Fault fault;
  fault.kind = Fault::Kind::status;
  fault.status = kReachabilityCode;
  fault.message = "admission webhook denied the request: " + message;
  return fault;
}
}  // namespace

TEST_CASE("the webhook's own refusal proves that it was reached; it is said once") {
  Cluster cluster;
  cluster.answers(refusal(kReachabilityAnswer));
  Reachability reachability(cluster.client, cluster.options());
  reachability.start();
  REQUIRE(eventually([&] { return reachability.state() == State::reached; }));
  REQUIRE(eventually([&] { return cluster.server.seen().size() > 5; }));
  CHECK(cluster.heard().size() == 1);
  const auto call = cluster.server.seen().front();
  CHECK(call.path == "/apis/ambassador.dev/v1alpha1/namespaces/system/ambassadorpolicies");
  CHECK(call.query.find("dryRun=All") != std::string::npos);
}

TEST_CASE("a policy that is taken proves that nobody was asked") {
  Cluster cluster;
  Reachability reachability(cluster.client, cluster.options());
  reachability.start();
  REQUIRE(eventually([&] { return reachability.state() == State::not_reached; }));
  CHECK(cluster.heard().front().second == "the API server took a policy without asking the webhook");
  CHECK(cluster.server.all(kube::resources::policies).empty());
}

TEST_CASE("another refusal is told each time, and the webhook's return once") {
  Cluster cluster;
  cluster.answers(refusal("x509: certificate signed by unknown authority"));
  Reachability reachability(cluster.client, cluster.options());
  reachability.start();
  REQUIRE(eventually([&] { return cluster.heard().size() > 2; }));
  CHECK(cluster.heard().front().second.find("x509") != std::string::npos);
  cluster.answers(refusal(kReachabilityAnswer));
  REQUIRE(eventually([&] { return cluster.heard().back().first; }));
}

TEST_CASE("two failures in a row are not believed yet: endpoints may just be changing") {
  Cluster cluster;
  std::atomic<int> asked{0};
  cluster.server.on_call([&](const kube::Request&) -> std::optional<Fault> {
    return ++asked < kBelievedFailures ? refusal("no endpoints available") : refusal(kReachabilityAnswer);
  });
  Reachability reachability(cluster.client, cluster.options());
  reachability.start();
  REQUIRE(eventually([&] { return reachability.state() == State::reached; }));
  REQUIRE(cluster.heard().size() == 1);
  CHECK(cluster.heard().front().first);
}

TEST_CASE("an API server that is away says nothing about the webhook") {
  Cluster cluster;
  cluster.server.set_away(true);
  Reachability reachability(cluster.client, cluster.options());
  reachability.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(reachability.state() == State::unknown);
  CHECK(cluster.heard().empty());
}

TEST_CASE("a replica that does not lead asks nothing") {
  Cluster cluster;
  cluster.leads = false;
  Reachability reachability(cluster.client, cluster.options());
  reachability.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(cluster.server.seen().empty());
  CHECK(reachability.state() == State::unknown);
}
