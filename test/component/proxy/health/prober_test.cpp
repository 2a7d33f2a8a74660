// Probing of real Redis servers, and of ones that misbehave.
#include "proxy/health/prober.hpp"

#include "proxy/redis/core.hpp"
#include "proxy/redis/sentinel.hpp"
#include "proxy/tcp/core.hpp"
#include "test/component/proxy/app/redis.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

struct AllUsable final : Availability {
  [[nodiscard]] bool usable(BackendIndex) const override { return true; }
  [[nodiscard]] BackendIndex preferred() const override { return 0; }
};

/// One backend that is probed, its loop run by the test's thread.
class Probed {
 public:
  explicit Probed(std::uint16_t port, config::Protocol protocol = config::Protocol::redis,
                  const AccountFunction& account = {}) {
    config::Listener listener;
    listener.protocol = protocol;
    listener.backends = {{"one", "127.0.0.1", port, 1}};
    upstream = std::make_shared<net::Upstream>(listener.backends[0]);
    core = protocol == config::Protocol::redis ? redis::make_core(listener, all, account)
                                               : tcp::make_core(listener, all);
    prober.refresh();
  }
  /// A Sentinel, whose answers are heard.
  explicit Probed(std::uint16_t port, const config::Sentinel& sentinel) {
    config::Listener listener;
    listener.redis.sentinel = sentinel;
    upstream = std::make_shared<net::Upstream>(config::Backend{"one", "127.0.0.1", port, 1});
    core = redis::make_sentinel_question(listener, {});
    prober.refresh();
  }
  std::string health() {
    net::BackendSnapshot shown;
    upstream->describe(shown, net::SteadyTime::clock::now());
    return shown.health;
  }
  template <class Condition>
  bool runs_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) io.run_for(20ms);
    return condition();
  }

  AllUsable all;
  boost::asio::io_context io;
  std::shared_ptr<net::Upstream> upstream;
  std::shared_ptr<const Probing> core;
  bool removed = false;
  std::vector<std::string> heard;  // "": there was no answer
  health::Prober prober{io, [this] {
                          std::vector<net::ProbeTarget> targets;
                          const auto hear = [this](std::optional<std::string_view> reply) {
                            heard.emplace_back(reply.value_or(std::string_view()));
                          };
                          if (!removed)
                            targets.push_back({.listener = "test",
                                               .upstream = upstream,
                                               .core = core,
                                               .timeout = 300ms,
                                               .apart = 400ms,
                                               .heard = hear});
                          return targets;
                        }};
};

/// Accepts on a free port and answers everything with `reply` (nothing when empty).
class Odd {
 public:
  explicit Odd(std::string answer) : reply(std::move(answer)) {
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(fd, 64) == 0);
    thread = std::thread([this] {
      std::vector<int> clients;
      for (int client = accept(fd, nullptr, nullptr); client >= 0; client = accept(fd, nullptr, nullptr)) {
        ++connections;
        clients.push_back(client);
        if (!reply.empty()) (void)!send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
      }
      for (const int client : clients) close(client);
    });
  }
  ~Odd() {
    shutdown(fd, SHUT_RDWR);
    thread.join();
    close(fd);
  }
  std::uint16_t port = free_port();
  std::atomic<int> connections{0};

 private:
  std::string reply;
  int fd;
  std::thread thread;
};

}  // namespace

TEST_CASE("a Redis server that is well is up, on one connection that is kept") {
  RedisServer server;
  Probed probed(server.port());
  CHECK(probed.health() == "unknown");
  CHECK(probed.runs_until([&] { return probed.health() == "up"; }));
  const auto connections = [&] { return RedisClient(server.port()).ask({"INFO", "stats"}); };
  const auto received = [&] {
    const std::string info = connections();
    return std::stoi(info.substr(info.find("total_connections_received:") + 27));
  };
  const int before = received();
  probed.io.run_for(2500ms);
  CHECK(received() == before + 1);  // the one that asked
  CHECK(probed.health() == "up");
}

TEST_CASE("a server that dies is down soon, and up again soon after it is back") {
  RedisServer server;
  Probed probed(server.port());
  REQUIRE(probed.runs_until([&] { return probed.health() == "up"; }));
  server.stop();
  CHECK(probed.runs_until([&] { return probed.health().find("down: cannot connect") == 0; }));
  CHECK_FALSE(probed.upstream->usable(net::SteadyTime::clock::now()));
  server.start();
  CHECK(probed.runs_until([&] { return probed.health() == "up"; }));
  CHECK(probed.upstream->usable(net::SteadyTime::clock::now()));
}

TEST_CASE("a server that accepts and says nothing, or nonsense, is down with the reason") {
  SECTION("nothing") {
    Odd odd("");
    Probed probed(odd.port);
    CHECK(
        probed.runs_until([&] { return probed.health() == "down: no answer to the health probe in time"; }));
  }
  SECTION("nonsense") {
    Odd odd("HTTP/1.1 400 Bad Request\r\n\r\n");
    Probed probed(odd.port);
    CHECK(probed.runs_until([&] { return probed.health().find("down") == 0; }));
    CHECK_THAT(probed.health(), Contains("HTTP/1.1 400 Bad Request"));
  }
  SECTION("an error that means it cannot serve") {
    Odd odd("-LOADING Redis is loading the dataset in memory\r\n");
    Probed probed(odd.port);
    CHECK(probed.runs_until([&] { return probed.health().find("down") == 0; }));
    CHECK_THAT(probed.health(), Contains("LOADING"));
  }
  SECTION("without end") {
    Odd odd("$100000\r\n" + std::string(Probing::kMaxProbeReply * 2, 'x'));
    Probed probed(odd.port);
    CHECK(probed.runs_until([&] { return probed.health().find("down") == 0; }));
  }
}

TEST_CASE("a server that wants a login is probed with it, and anew when it changes") {
  RedisServer server(free_port(), {"--requirepass", "secret"});
  auto password = std::make_shared<const Account>("default", "wrong");
  Probed probed(server.port(), config::Protocol::redis, [&password] { return password; });
  CHECK(probed.runs_until(
      [&] { return probed.health().find("down: refuses the connection: WRONGPASS ") == 0; }));
  password = std::make_shared<const Account>("default", "secret");
  CHECK(probed.runs_until([&] { return probed.health() == "up"; }));
  password = std::make_shared<const Account>("default", "wrong again");
  probed.io.run_for(1500ms);
  CHECK(probed.health() == "up");  // the connection that is kept is logged in
  probed.prober.login_changed("test");
  CHECK(probed.runs_until(
      [&] { return probed.health().find("down: refuses the connection: WRONGPASS ") == 0; }));
}

TEST_CASE("who wants to hear the answers is told them, however long they are") {
  std::string answer =
      "*6\r\n$2\r\nip\r\n$1\r\nm\r\n$4\r\nport\r\n$1\r\n1\r\n$12\r\nconfig-epoch\r\n$1\r\n7\r\n";
  SECTION("as long as it may be") {
    answer += "*1\r\n$100000\r\n" + std::string(100000, 'x') + "\r\n";
    Odd odd(answer);
    Probed probed(odd.port, config::Sentinel{"m"});
    REQUIRE(probed.runs_until([&] { return !probed.heard.empty(); }));
    CHECK(probed.heard.front() == answer);
    CHECK(probed.health() == "up");
  }
  SECTION("and longer") {
    answer += "*1\r\n$2000000\r\n" + std::string(2000000, 'x') + "\r\n";
    Odd odd(answer);
    Probed probed(odd.port, config::Sentinel{"m"});
    REQUIRE(probed.runs_until([&] { return !probed.heard.empty(); }));
    CHECK(probed.heard.front() == "");
    CHECK(probed.health().find("down: ") == 0);
  }
}

TEST_CASE("asked out of turn, who wants it so is asked no more often than that") {
  RedisServer server;
  Probed probed(server.port());
  REQUIRE(probed.runs_until([&] { return probed.heard.size() == 1; }));
  const auto until = std::chrono::steady_clock::now() + 1s;
  while (std::chrono::steady_clock::now() < until) {
    probed.prober.ask_standing("test");
    probed.io.run_for(10ms);
  }
  CHECK(probed.heard.size() >= 2);
  CHECK(probed.heard.size() <= 4);
}

TEST_CASE("for TCP connecting is the probe") {
  Odd odd("");
  Probed probed(odd.port, config::Protocol::tcp);
  CHECK(probed.runs_until([&] { return probed.health() == "up"; }));
  Probed nobody(free_port(), config::Protocol::tcp);
  CHECK(nobody.runs_until([&] { return nobody.health().find("down: cannot connect") == 0; }));
}

TEST_CASE("a backend that was removed is probed no more") {
  Odd odd("");
  Probed probed(odd.port, config::Protocol::tcp);
  REQUIRE(probed.runs_until([&] { return odd.connections > 0; }));
  probed.removed = true;
  probed.prober.refresh();
  probed.io.run_for(50ms);
  const int before = odd.connections;
  probed.io.run_for(2500ms);
  CHECK(odd.connections == before);
}

TEST_CASE("a prober that goes leaves nothing behind") {
  RedisServer server;
  auto probed = std::make_unique<Probed>(server.port());
  probed->io.run_for(5ms);
  probed->prober.stop();
  probed->io.restart();
  probed->io.run();  // ends by itself: no timer, no socket is left
  probed.reset();
}
