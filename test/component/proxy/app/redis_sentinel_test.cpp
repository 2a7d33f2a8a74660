// The program in front of a primary and its replicas of which only the Sentinels know.
#include "test/component/proxy/app/redis_sentinel.hpp"

#include "test/component/proxy/app/redis_replicas.hpp"
#include "test/component/proxy/certificates.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using namespace std::chrono_literals;

namespace {

/// Three servers, and three Sentinels who know all of them and each other.
struct Watched : Trio {
  RedisSentinel a{s0}, b{s0}, c{s0};

  Watched() {
    for (const RedisSentinel* sentinel : {&a, &b, &c}) {
      REQUIRE(eventually(
          [&] { return sentinel->says("num-slaves 2 ") && sentinel->says("num-other-sentinels 2 "); }));
    }
  }
  [[nodiscard]] std::vector<OnPort> sentinels() const { return {a.port(), b.port(), c.port()}; }
  [[nodiscard]] static bool is_primary(const RedisServer& server) {
    return server.info("replication", "role") == "master";
  }
  /// One of the replicas, once it is the primary; null before.
  [[nodiscard]] const RedisServer* promoted() const {
    return is_primary(s1) ? &s1 : is_primary(s2) ? &s2 : nullptr;
  }
};

std::string listener(const std::string& more = "", const std::string& master = kMaster) {
  return "  redis: {mode: Sentinel, sentinel: {masterName: " + master + "}" + more + "}\n";
}

}  // namespace

TEST_CASE("the servers are those that the Sentinels tell of, and shown as the listener's backends") {
  Watched watched;
  ProxyProcess proxy(watched.sentinels(), listener(", readPreference: PreferReplica"));
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  CHECK(eventually([&] { return client.ask({"GET", "a"}) == "1"; }));
  CHECK(watched.s0.info("commandstats", "cmdstat_set") != "");
  CHECK(eventually([&] {
    client.ask({"GET", "a"});
    return !watched.s1.info("commandstats", "cmdstat_get").empty() ||
           !watched.s2.info("commandstats", "cmdstat_get").empty();
  }));
  const std::string status = proxy.status();
  CHECK_THAT(status, Contains("servers found by asking 3, of which 3 answer\n"));
  for (const RedisServer* server : {&watched.s0, &watched.s1, &watched.s2})
    CHECK_THAT(status, Contains("  " + server->place() + " "));
  CHECK_THAT(status, Contains(", primary") && Contains(", replica, 0.0s behind"));
  CHECK_THAT(proxy.status_json(), Contains("\"seeds\":") && Contains("\"answering\": 3"));
}

TEST_CASE("a replica that comes later is found, and costs nobody a subscription or a transaction") {
  Watched watched;
  ProxyProcess proxy(watched.sentinels(), listener());
  proxy.wait_started();
  RedisClient subscriber(proxy.port), watcher(proxy.port), client(proxy.port);
  REQUIRE(subscriber.ask({"SUBSCRIBE", "news"}) == "*[subscribe news 1]");
  REQUIRE(watcher.ask({"WATCH", "a"}) == "OK");
  REQUIRE(watcher.ask({"MULTI"}) == "OK");
  RedisServer late;
  late.follow(watched.s0);
  CHECK(eventually([&] { return proxy.status().find(late.place() + " ") != std::string::npos; }));
  CHECK(client.ask({"PUBLISH", "news", "hello"}) == "1");
  CHECK(subscriber.receive() == "*[message news hello]");
  CHECK(watcher.ask({"SET", "a", "1"}) == "QUEUED");
  CHECK(watcher.ask({"EXEC"}) == "*[OK]");
}

TEST_CASE("a failover that Sentinel is asked for costs clients no error") {
  Watched watched;
  ProxyProcess proxy(watched.sentinels(), listener());
  proxy.wait_started();
  Writers writers(proxy.port, Writers::By::setting);
  REQUIRE(writers.go_on());
  REQUIRE(watched.a.ask({"SENTINEL", "FAILOVER", kMaster}) == "OK");
  REQUIRE(eventually([&] { return watched.promoted() != nullptr; }));
  REQUIRE(eventually([&] { return !watched.is_primary(watched.s0); }));
  CHECK(writers.go_on());
  writers.stop();
  INFO(writers.error());
  CHECK(writers.errors() == 0);
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "after"}) == "OK");
  CHECK(RedisClient(watched.promoted()->port()).ask({"GET", "a"}) == "after");
}

TEST_CASE("when the primary is killed, only what was on its way gets an error, and all go on with the next") {
  Watched watched;
  ProxyProcess proxy(watched.sentinels(), "  timeouts: {queue: 25s}\n" + listener());
  proxy.wait_started();
  Writers writers(proxy.port, Writers::By::setting);
  REQUIRE(writers.go_on());
  watched.s0.stop();
  REQUIRE(eventually([&] { return watched.promoted() != nullptr; }));
  const auto promoted = std::chrono::steady_clock::now();
  CHECK(writers.go_on(1));
  CHECK(std::chrono::steady_clock::now() - promoted < 5s);
  CHECK(writers.go_on());
  writers.stop();
  INFO(writers.error());
  CHECK(writers.errors() <= Writers::kMostErrors);
  if (writers.errors() > 0) CHECK_THAT(writers.error(), Contains("the command may have been carried out"));

  // The dead one leaves the list when the Sentinels miss it, and returns to it when it is back.
  const std::string place = watched.s0.place() + " ";
  CHECK(eventually([&] { return proxy.status().find(place) == std::string::npos; }));
  watched.s0.start();
  CHECK(eventually([&] { return proxy.status().find(place) != std::string::npos; }));
}

TEST_CASE("Sentinels may restart, and may be gone: what was found stays") {
  Watched watched;
  ProxyProcess proxy(watched.sentinels(), listener());
  proxy.wait_started();
  RedisClient client(proxy.port);
  REQUIRE(client.ask({"SET", "a", "1"}) == "OK");
  const auto answering = [&](int count) {
    return eventually([&] {
      return proxy.status().find("of which " + std::to_string(count) + " answer") != std::string::npos;
    });
  };
  watched.a.stop();
  CHECK(answering(2));
  watched.a.start();
  CHECK(answering(3));
  watched.a.stop();
  watched.b.stop();
  watched.c.stop();
  CHECK(answering(0));
  CHECK_THAT(proxy.status(), Contains("of which 0 answer; 127.0.0.1:" + std::to_string(watched.a.port()) +
                                      ": cannot connect: Connection refused"));
  CHECK(client.ask({"SET", "a", "2"}) == "OK");
  // A new configuration of the same listener forgets nobody.
  proxy.configure(watched.sentinels(), "  maxClients: 77\n" + listener());
  CHECK(eventually([&] { return proxy.status_json().find("\"maxClients\": 77") != std::string::npos; }));
  CHECK(client.ask({"SET", "a", "3"}) == "OK");
  // And promotions are noticed as ever.
  watched.s1.promote();
  CHECK(eventually([&] {
    return client.ask({"SET", "a", "4"}) == "OK" && RedisClient(watched.s1.port()).ask({"GET", "a"}) == "4";
  }));
}

TEST_CASE("a Sentinel that is cut off and knows only what was moves nobody") {
  Watched watched;
  RedisServer stranger;  // the primary once, says the one that is cut off
  StaleSentinel stale(stranger, watched.s0);
  REQUIRE(watched.a.ask({"SENTINEL", "FAILOVER", kMaster}) == "OK");
  REQUIRE(
      eventually([&] { return !watched.a.says("config-epoch 0 ") && !watched.b.says("config-epoch 0 "); }));
  ProxyProcess proxy({watched.a.port(), watched.b.port(), stale.port()}, listener());
  proxy.wait_started();
  REQUIRE(eventually([&] {
    const std::string status = proxy.status();
    return status.find("of which 3 answer") != std::string::npos &&
           status.find(watched.s2.place() + " ") != std::string::npos;
  }));
  watched.a.stop();
  watched.b.stop();
  RedisClient client(proxy.port);
  REQUIRE(eventually([&] { return proxy.status().find("of which 1 answer") != std::string::npos; }));
  for (int i = 0; i < 100; ++i) {
    REQUIRE(client.ask({"SET", "a", std::to_string(i)}) == "OK");
    std::this_thread::sleep_for(20ms);
  }
  CHECK(stranger.keys() == 0);
  CHECK_THAT(proxy.status(), !Contains(stranger.place() + " "));
}

TEST_CASE("as long as no server was found, clients wait, and are told in the end who did not help") {
  RedisServer primary;
  SECTION("no Sentinel answers") {
    const std::uint16_t nobody = free_port();
    ProxyProcess proxy({nobody}, "  timeouts: {queue: 300ms}\n" + listener());
    proxy.wait_started();
    RedisClient client(proxy.port);
    CHECK(client.ask({"GET", "a"}) ==
          "-ERR no Sentinel that could know the master mymaster is reachable: 127.0.0.1:" +
              std::to_string(nobody) + ": cannot connect: Connection refused");
    CHECK(client.ask({"PING"}) == "PONG");
  }
  SECTION("none knows the master") {
    RedisSentinel sentinel(primary);
    ProxyProcess proxy({sentinel.port()}, "  timeouts: {queue: 4s}\n" + listener("", "another"));
    proxy.wait_started();
    RedisClient client(proxy.port);
    CHECK(client.ask({"GET", "a"}) == "-ERR no Sentinel knows the master another");
    // It is told of it: who waits goes on.
    RedisClient waits(proxy.port);
    waits.send({"SET", "a", "1"});
    REQUIRE(sentinel.ask({"SENTINEL", "MONITOR", "another", "127.0.0.1", std::to_string(primary.port()),
                          "1"}) == "OK");
    CHECK(waits.receive() == "OK");
    CHECK(primary.keys() == 1);
  }
  SECTION("it is no Sentinel") {
    ProxyProcess proxy({&primary}, "  timeouts: {queue: 1500ms}\n" + listener());
    proxy.wait_started();
    CHECK_THAT(RedisClient(proxy.port).ask({"GET", "a"}), Contains("-ERR unknown command"));
  }
}

TEST_CASE("the Sentinels are logged in at as the servers are") {
  RedisServer primary(free_port(), {"--requirepass", "secret", "--masterauth", "secret"});
  RedisSentinel sentinel(primary, "sentinel auth-pass mymaster secret\nrequirepass secret\n");
  Folder secret;
  secret.write("password", "secret");
  const std::string login = ", credentialsFolder: " + secret.file("");
  ProxyProcess proxy({sentinel.port()}, listener(login.substr(0, login.size() - 1)));
  proxy.wait_started();
  CHECK(RedisClient(proxy.port).ask({"SET", "a", "1"}) == "OK");
  ProxyProcess other({sentinel.port()}, "  timeouts: {queue: 1500ms}\n" + listener());
  other.wait_started();
  CHECK_THAT(RedisClient(other.port).ask({"GET", "a"}), Contains("-NOAUTH Authentication required."));
}

TEST_CASE("the Sentinels are spoken to by TLS as the servers are, and have to be who they say") {
  const Certificates certificates("IP:127.0.0.1");
  const auto tls = [&](std::uint16_t port, const std::string& who) {
    return std::vector<std::string>{"--port",
                                    "0",
                                    "--tls-port",
                                    std::to_string(port),
                                    "--tls-cert-file",
                                    certificates.path(who + ".crt"),
                                    "--tls-key-file",
                                    certificates.path(who + ".key"),
                                    "--tls-ca-cert-file",
                                    certificates.path("ca.crt"),
                                    "--tls-auth-clients",
                                    "no",
                                    "--tls-replication",
                                    "yes"};
  };
  const auto as_lines = [](const std::vector<std::string>& arguments) {
    std::string lines;
    for (std::size_t i = 0; i < arguments.size(); i += 2)
      lines += arguments[i].substr(2) + " " + arguments[i + 1] + "\n";
    return lines;
  };
  const std::uint16_t at = free_port();
  RedisServer primary(at, tls(at, "server"));
  const std::string verified = "  serverTLS: {mode: VerifyFull, caFile: " + certificates.path("ca.crt") +
                               "}\n  timeouts: {queue: 2s}\n";
  const std::uint16_t right = free_port(), wrong = free_port();
  RedisSentinel sentinel(primary, as_lines(tls(right, "server")), right);
  ProxyProcess proxy({right}, verified + listener());
  proxy.wait_started();
  CHECK(RedisClient(proxy.port).ask({"SET", "a", "1"}) == "OK");
  RedisSentinel stranger(primary, as_lines(tls(wrong, "stranger")), wrong);
  ProxyProcess other({wrong}, verified + listener());
  other.wait_started();
  CHECK_THAT(RedisClient(other.port).ask({"GET", "a"}),
             StartsWith("-ERR no Sentinel that could know the master") && Contains("certificate"));
}
