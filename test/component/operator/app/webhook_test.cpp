// The webhook's real listener, with a certificate that the real keeper made, against clients of all sorts.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>
#include <mutex>
#include <thread>

#include "operator/admission/listener.hpp"
#include "operator/certs/inspect.hpp"
#include "operator/certs/keeper.hpp"
#include "test/component/operator/app/tls_client.hpp"
#include "test/places.hpp"
#include "test/unit/operator/admission/world.hpp"

using namespace ambassador;
using namespace ambassador::test;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

const std::string kName = "operator.system.svc";
const std::string kPath = "/mutate--v1-pod";

struct Operator {
  World world;
  /// The keeper's clock, by the real one: what it made at first is 21 days old and due for renewal today.
  std::atomic<long> hours_ahead{-21 * 24};
  certs::Keeper keeper;
  admission::Listener listener;
  std::uint16_t port = 0;

  Operator()
      : keeper(world.client, options()), listener([this](const http::Request& request, http::Reply reply) {
          world.webhook.handle(request, std::move(reply));
        }) {
    keeper.start();
    REQUIRE(eventually([this] { return keeper.source() != nullptr; }));
    const auto opened = listener.open(0, keeper.source());
    REQUIRE(opened.ok());
    port = opened.value();
  }
  certs::KeeperOptions options() {
    certs::KeeperOptions options;
    options.name_space = "system";
    options.secret = "certificate";
    options.dns_names = {kName};
    options.interval = milliseconds(5);
    options.trusted = [](const std::string&) { return true; };
    options.now = [this] { return std::chrono::system_clock::now() + std::chrono::hours(hours_ahead); };
    return options;
  }
  TlsClient client() { return TlsClient(port, keeper.ca_bundle(), kName); }
};

std::string review() {
  return review_of(pod(), "shop").dump();
}

/// test/e2e/clients/attack.py against this port, for some seconds; what it says at the end.
Json attack(const std::string& what, std::uint16_t port, int seconds) {
  const std::string command = std::string("/usr/bin/python3 ") + SOURCE_DIR + "/test/e2e/clients/attack.py " +
                              what + " " + std::to_string(seconds) + " 127.0.0.1 " + std::to_string(port) +
                              " tls 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  std::string output;
  char buffer[512];
  while (fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  pclose(pipe);
  const auto said = Json::parse(output.substr(output.find('{') == std::string::npos ? 0 : output.find('{')),
                                nullptr, false);
  return said.is_discarded() ? Json{{"bounded", false}, {"output", output}} : said;
}

}  // namespace

TEST_CASE(
    "a client that trusts our CA gets its Pods injected on one connection; another client is not served") {
  Operator op;
  auto client = op.client();
  for (int i = 0; i < 50; ++i) {
    const auto answer = client.post(kPath, review());
    REQUIRE(answer.status == 200);
    REQUIRE(Json::parse(answer.body).at("response").contains("patch"));
  }
  const auto other = certs::make_ca(std::chrono::system_clock::now())->certificate;
  CHECK_THROWS(TlsClient(op.port, other, kName));
  CHECK_THROWS(TlsClient(op.port, op.keeper.ca_bundle(), "kubernetes.default.svc"));
}

TEST_CASE("a certificate is swapped without closing the listener or a connection") {
  Operator op;
  auto old_client = op.client();
  const auto before = old_client.fingerprint();
  REQUIRE(old_client.post(kPath, review()).status == 200);
  op.hours_ahead = 0;
  REQUIRE(eventually([&] { return op.client().fingerprint() != before; }));
  CHECK(old_client.post(kPath, review()).status == 200);
  CHECK(op.client().post(kPath, review()).status == 200);
}

TEST_CASE("under every attack at once the API server's reviews go on being answered") {
  Operator op;
  std::vector<std::thread> attackers;
  std::mutex mutex;
  std::map<std::string, Json> said;
  std::atomic<int> under_way{0};
  for (const char* what : {"slow_headers", "slow_body", "huge_body", "negative_chunk", "huge_chunk",
                           "garbage", "garbage_in_tls", "idle", "half_close", "no_end_of_headers"}) {
    ++under_way;
    attackers.emplace_back([&, what] {
      auto told = attack(what, op.port, 6);
      const std::lock_guard lock(mutex);
      said[what] = std::move(told);
      --under_way;
    });
  }
  int answered = 0;
  auto slowest = Clock::duration::zero();
  while (under_way > 0) {
    const auto began = Clock::now();
    auto client = op.client();
    REQUIRE(client.post(kPath, review()).status == 200);
    slowest = std::max(slowest, Clock::now() - began);
    ++answered;
    std::this_thread::sleep_for(milliseconds(20));
  }
  for (auto& attacker : attackers) attacker.join();
  for (const auto& [what, told] : said) {
    INFO(what << ": " << told.dump());
    CHECK(told.at("bounded") == true);
  }
  CHECK(answered > 20);  // in six seconds, on a machine that is busy with the attackers and more
  CHECK(slowest < std::chrono::seconds(2));  // the API server waits 5 s
  CHECK(op.listener.alive());
  CHECK(eventually([&] { return op.listener.counts().open < 50; }, std::chrono::seconds(15)));
}

TEST_CASE("while it drains every request is answered, on the old connections and on new ones") {
  Operator op;
  std::atomic<bool> draining{false};
  std::atomic<bool> over{false};
  std::atomic<int> failed{0};
  std::atomic<int> answered{0};
  std::atomic<int> kept_open{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      std::unique_ptr<TlsClient> client;
      while (!over) {
        try {
          if (!client) client = std::make_unique<TlsClient>(op.port, op.keeper.ca_bundle(), kName);
          const bool asked_in_drain = draining;
          const auto answer = client->post(kPath, review());
          answer.status == 200 ? ++answered : ++failed;
          if (asked_in_drain && !answer.closes) ++kept_open;
          if (answer.closes) client.reset();
        } catch (const std::exception&) {
          ++failed;
          client.reset();
        }
        std::this_thread::sleep_for(milliseconds(5));
      }
    });
  }
  REQUIRE(eventually([&] { return answered > 50; }));
  op.listener.begin_drain();
  draining = true;
  const int before = answered;
  REQUIRE(eventually([&] { return answered > before + 50; }));
  over = true;  // the endpoints have been updated: nobody comes any more
  for (auto& client : clients) client.join();
  op.listener.close(std::chrono::seconds(5));
  CHECK(failed == 0);
  CHECK(kept_open == 0);
  CHECK_THROWS(op.client());
}

TEST_CASE("a review that has begun is answered though the listener closes meanwhile") {
  Operator op;
  op.world.server.on_call([](const kube::Request& request) -> std::optional<Fault> {
    if (request.target.find("watch=") == std::string::npos) std::this_thread::sleep_for(milliseconds(300));
    return std::nullopt;
  });
  auto client = op.client();
  std::thread closing([&] {
    std::this_thread::sleep_for(milliseconds(100));
    op.listener.close(std::chrono::seconds(5));
  });
  const auto answer = client.post(kPath, review_of(pod(), "empty").dump());  // a miss: a live read
  closing.join();
  CHECK(answer.status == 200);
  CHECK(Json::parse(answer.body).at("response").at("allowed") == false);
}
