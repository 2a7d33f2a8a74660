#include "operator/kube/leader.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using test::eventually;

namespace {
/// The real proportions at a fifth of the time: a busy machine must not cost anyone the lead.
kube::LeaderOptions quick(const std::string& identity) {
  return {.name_space = "ops",
          .identity = identity,
          .lease_duration = 3000ms,
          .renew_deadline = 2000ms,
          .retry_period = 100ms};
}

struct Candidate {
  Candidate(test::FakeApiServer& server, const std::string& identity)
      : client(server.factory()),
        elector(client, quick(identity), {[this] { working = true; }, [this] { working = false; }}) {}
  std::atomic<bool> working{false};
  kube::Client client;
  kube::LeaderElector elector;
};

std::string holder(const test::FakeApiServer& server) {
  return kube::string_at(server.get(kube::resources::leases, "ops", "ambassador-operator"),
                         {"spec", "holderIdentity"});
}
}  // namespace

TEST_CASE("one of two leads, and a released lease is taken at once") {
  test::FakeApiServer server;
  Candidate a(server, "a");
  Candidate b(server, "b");
  a.elector.start();
  REQUIRE(eventually([&] { return a.working.load(); }));
  b.elector.start();
  std::this_thread::sleep_for(300ms);
  CHECK_FALSE(b.working);
  CHECK(a.elector.is_leader());
  CHECK_FALSE(b.elector.is_leader());
  const auto begin = std::chrono::steady_clock::now();
  a.elector.stop();
  CHECK_FALSE(a.working);
  CHECK_FALSE(a.elector.is_leader());
  REQUIRE(eventually([&] { return b.working.load(); }));
  CHECK(std::chrono::steady_clock::now() - begin < 2500ms);  // no waiting for the lease to run out
  CHECK(holder(server) == "b");
}

TEST_CASE("a leader that cannot renew stops before anyone else may start") {
  test::FakeApiServer server;
  std::atomic<bool> a_is_cut_off{false};
  Candidate b(server, "b");
  // a's way to the server can be cut without b's.
  struct Cut final : kube::Transport {
    Cut(std::shared_ptr<kube::Transport> inner, std::atomic<bool>& cut)
        : inner_(std::move(inner)), cut_(cut) {}
    Result<kube::Response> send(const kube::Request& request, std::stop_token stop) override {
      if (cut_) return Error{"a", "unreachable"};
      return inner_->send(request, stop);
    }
    Result<kube::Response> stream(const kube::Request&, const kube::LineHandler&, std::stop_token) override {
      return Error{"a", "no watches here"};
    }
    std::shared_ptr<kube::Transport> inner_;
    std::atomic<bool>& cut_;
  };
  const kube::Client client([&]() -> std::shared_ptr<kube::Transport> {
    return std::make_shared<Cut>(server.factory()(), a_is_cut_off);
  });
  std::atomic<bool> a_works{false};
  kube::LeaderElector a(client, quick("a"), {[&] { a_works = true; }, [&] { a_works = false; }});
  a.start();
  REQUIRE(eventually([&] { return a_works.load(); }));
  b.elector.start();
  a_is_cut_off = true;
  bool both = false;
  REQUIRE(eventually([&] {
    both = both || (a.is_leader() && b.elector.is_leader());
    return b.elector.is_leader();
  }));
  CHECK_FALSE(both);
  CHECK_FALSE(a.is_leader());
  REQUIRE(eventually([&] { return !a_works; }));
  a_is_cut_off = false;
  std::this_thread::sleep_for(300ms);
  CHECK_FALSE(a.is_leader());
  CHECK(holder(server) == "b");
  CHECK(b.elector.terms() == 1);
}

TEST_CASE("a short outage does not cost the lead") {
  test::FakeApiServer server;
  Candidate a(server, "a");
  a.elector.start();
  REQUIRE(eventually([&] { return a.working.load(); }));
  server.set_away(true);
  std::this_thread::sleep_for(250ms);
  server.set_away(false);
  std::this_thread::sleep_for(300ms);
  CHECK(a.elector.is_leader());
  CHECK(a.elector.terms() == 1);
}

TEST_CASE("a lease that somebody else took away ends the lead") {
  test::FakeApiServer server;
  Candidate a(server, "a");
  a.elector.start();
  REQUIRE(eventually([&] { return a.working.load(); }));
  auto stolen = server.get(kube::resources::leases, "ops", "ambassador-operator");
  stolen["spec"]["holderIdentity"] = "thief";
  stolen["spec"]["leaseDurationSeconds"] = 60;
  server.put(kube::resources::leases, stolen);
  REQUIRE(eventually([&] { return !a.working; }));
  CHECK_FALSE(a.elector.is_leader());
}
