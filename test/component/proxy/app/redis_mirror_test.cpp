// Copies of commands for another listener, at real servers.
#include <nlohmann/json.hpp>

#include "proxy/app/local_http.hpp"
#include "test/component/proxy/app/proxy_process.hpp"

using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

/// A listener before `server`, with its mirror before `others`.
struct Scene {
  RedisServer server;
  std::vector<std::unique_ptr<RedisServer>> others;
  ProxyProcess proxy;
  std::uint16_t mirror_port = free_port();

  /// `commands`: "Writes" or "All"; `count`: of servers behind the mirror.
  explicit Scene(const std::string& commands = "Writes", int count = 1) : proxy({&server}) {
    for (int i = 0; i < count; ++i) others.push_back(std::make_unique<RedisServer>());
    proxy.wait_started();
    mirror("{listener: test.next, commands: " + commands + "}");
    REQUIRE(eventually([&] { return status().contains("mirror"); }));
  }
  /// Another configuration. `mirror`: "" for none.
  void mirror(const std::string& mirror) {
    std::string text =
        proxy.document({&server}, mirror.empty() ? std::string() : "  redis: {mirror: " + mirror + "}\n");
    text += "- name: test.next\n  protocol: Redis\n  addresses: [127.0.0.1]\n  timeouts: {queue: 300ms}\n";
    text += "  port: " + std::to_string(mirror_port) + "\n  backends:\n";
    for (const auto& other : others)
      text += "  - {host: 127.0.0.1, port: " + std::to_string(other->port()) + "}\n";
    proxy.folder.write("config.yaml", text);
    proxy.process->signal(SIGHUP);
  }
  [[nodiscard]] RedisServer& other() const { return *others.front(); }
  [[nodiscard]] json status(std::size_t listener = 0) const {
    return json::parse(proxy.status_json())["listeners"][listener];
  }
  [[nodiscard]] int counted(const char* what) const { return status()["mirror"][what].get<int>(); }
  /// The mirror has got there with all that was copied before.
  [[nodiscard]] bool has(const std::string& key, const std::string& value) const {
    return eventually([&] { return RedisClient(mirror_port).ask({"GET", key}) == value; });
  }
  [[nodiscard]] int keys() const {
    int sum = 0;
    for (const auto& one : others) sum += one->keys();
    return sum;
  }
};

std::vector<std::vector<std::string>> repeated(int times, const std::vector<std::string>& command) {
  return {static_cast<std::size_t>(times), command};
}

/// How often a server was asked for this; "": never.
std::string calls(const RedisServer& server, const std::string& command) {
  const std::string all = server.info("commandstats", "cmdstat_" + command);
  return all.substr(0, all.find(','));
}

}  // namespace

TEST_CASE("a mirror gets what is written, in its order, and no reads") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  client.send_at_once(repeated(200, {"APPEND", "log", "x"}));
  for (int i = 1; i <= 200; ++i) REQUIRE(client.receive() == std::to_string(i));
  for (const char* value : {"1", "2", "3"}) CHECK(client.ask({"SET", "a", value}) == "OK");
  CHECK(client.ask({"STRLEN", "log"}) == "200");
  CHECK(client.ask({"SET", "end", "x"}) == "OK");
  REQUIRE(scene.has("end", "x"));
  CHECK(calls(scene.other(), "strlen").empty());
  CHECK(calls(scene.other(), "append") == "calls=200");
  CHECK(RedisClient(scene.other().port()).ask({"GET", "a"}) == "3");
  CHECK(scene.counted("copied") == 204);
  CHECK(scene.counted("dropped") == 0);
  CHECK(scene.counted("failed") == 0);
  CHECK_THAT(scene.proxy.status(), Contains("mirror test.next: copied 204  dropped 0  failed 0"));
  const auto metrics =
      ambassador::proxy::app::http_get(scene.proxy.health, "/metrics", std::chrono::seconds(3));
  REQUIRE(metrics);
  CHECK_THAT(metrics->body, Contains("ambassador_proxy_mirror_copied_total{listener=\"test.cache\"} 204"));
  const auto clients =
      ambassador::proxy::app::http_get(scene.proxy.admin, "/clients", std::chrono::seconds(3));
  REQUIRE(clients);
  CHECK_THAT(clients->body, Contains("unix:mirror of test.cache"));
  CHECK(scene.status(1)["clients"] == 0);  // it is no client of anybody's
}

TEST_CASE("a mirror of all commands gets reads too") {
  const Scene scene("All");
  RedisClient client(scene.proxy.port);
  CHECK(client.ask({"STRLEN", "a"}) == "0");
  CHECK(client.ask({"SET", "end", "x"}) == "OK");
  REQUIRE(scene.has("end", "x"));
  CHECK(calls(scene.other(), "strlen") == "calls=1");
}

TEST_CASE("a mirror is what its listener is: here keys lie with two servers, and each message comes once") {
  const Scene scene("Writes", 2);
  RedisClient client(scene.proxy.port);
  std::vector<std::string> set{"MSET"};
  for (int i = 0; i < 60; ++i) set.insert(set.end(), {"key-" + std::to_string(i), "x"});
  CHECK(client.ask({"FLUSHALL"}) == "OK");
  CHECK(client.ask(set) == "OK");
  CHECK(client.ask({"EVAL", "return redis.call('SET', KEYS[1], 'scripted')", "1", "s"}) == "OK");
  const std::string sha = client.ask({"SCRIPT", "LOAD", "return redis.call('INCR', KEYS[1])"});
  CHECK(client.ask({"EVALSHA", sha, "1", "counter"}) == "1");
  REQUIRE(scene.has("counter", "1"));
  CHECK(scene.has("s", "scripted"));
  CHECK(scene.keys() == 62);
  for (const auto& one : scene.others) {
    CHECK(one->keys() > 0);
    CHECK(calls(*one, "flushall") == "calls=1");
  }
  CHECK(scene.counted("copied") == 5);
}

TEST_CASE("transactions are copied whole, but for those that depend on watched keys; who blocks is not") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  const auto ask = [&](const std::vector<std::vector<std::string>>& commands) {
    client.send_at_once(commands);
    std::string last;
    for (std::size_t i = 0; i < commands.size(); ++i) last = client.receive();
    return last;
  };
  CHECK(ask({{"RPUSH", "queue", "one", "two"}, {"BLPOP", "queue", "1"}}) == "*[queue one]");
  CHECK(ask({{"MULTI"}, {"INCR", "n"}, {"INCR", "n"}, {"EXEC"}}) == "*[1 2]");
  CHECK(ask({{"MULTI"}, {"INCR", "discarded"}, {"DISCARD"}}) == "OK");
  CHECK(ask({{"WATCH", "w"}, {"SET", "between", "x"}, {"MULTI"}, {"SET", "w", "x"}, {"EXEC"}}) == "*[OK]");
  CHECK(ask({{"SET", "end", "x"}}) == "OK");
  REQUIRE(scene.has("end", "x"));
  RedisClient other(scene.other().port());
  CHECK(other.ask({"GET", "n"}) == "2");
  CHECK(other.ask({"GET", "between"}) == "x");
  CHECK(other.ask({"EXISTS", "w", "discarded"}) == "0");
  CHECK(other.ask({"LRANGE", "queue", "0", "-1"}) == "*[one two]");
}

TEST_CASE("each database has its own copies, whoever writes") {
  const Scene scene;
  RedisClient third(scene.proxy.port);
  RedisClient first(scene.proxy.port);
  CHECK(third.ask({"HELLO", "3"}).starts_with("%["));
  CHECK(third.ask({"SELECT", "3"}) == "OK");
  for (int i = 0; i < 20; ++i) {
    CHECK(third.ask({"INCR", "n"}) == std::to_string(i + 1));
    CHECK(first.ask({"INCRBY", "n", "100"}) == std::to_string(100 * (i + 1)));
  }
  REQUIRE(scene.has("n", "2000"));
  RedisClient other(scene.other().port());
  CHECK(other.ask({"SELECT", "3"}) == "OK");
  CHECK(other.ask({"GET", "n"}) == "20");
}

TEST_CASE("large messages are copied up to 2 MiB; what is larger is counted as dropped") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  const std::string large(1'500'000, 'x');
  CHECK(client.ask({"SET", "large", large}) == "OK");
  CHECK(client.ask({"SET", "larger", large + large}) == "OK");
  CHECK(client.ask({"SET", "end", "x"}) == "OK");
  REQUIRE(scene.has("end", "x"));
  RedisClient other(scene.other().port());
  CHECK(other.ask({"STRLEN", "large"}) == "1500000");
  CHECK(other.ask({"EXISTS", "larger"}) == "0");
  CHECK(scene.counted("dropped") == 1);
}

TEST_CASE("a mirror that is silent holds nobody up, and gets copies again when it is back") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  CHECK(client.ask({"SET", "before", "x"}) == "OK");
  REQUIRE(scene.has("before", "x"));
  scene.other().freeze();
  const std::string value(10'000, 'x');
  for (int i = 0; i < 2'000; ++i) REQUIRE(client.ask({"SET", "key-" + std::to_string(i), value}) == "OK");
  CHECK(scene.counted("dropped") > 0);
  CHECK(scene.counted("copied") > 0);
  scene.other().stop();
  scene.other().start();
  CHECK(eventually([&] {
    return client.ask({"SET", "after", "x"}) == "OK" &&
           RedisClient(scene.other().port()).ask({"GET", "after"}) == "x";
  }));
}

TEST_CASE("a mirror that is down, or refuses, fails nobody, and its errors are counted") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  CHECK(RedisClient(scene.other().port()).ask({"RPUSH", "n", "a list"}) == "1");
  CHECK(client.ask({"INCR", "n"}) == "1");
  CHECK(eventually([&] { return scene.counted("failed") == 1; }));
  scene.other().stop();
  for (int i = 0; i < 50; ++i) CHECK(client.ask({"INCR", "n"}) == std::to_string(i + 2));
  CHECK(eventually([&] { return scene.counted("failed") == 51; }));
  scene.other().start();
  CHECK(eventually([&] {
    return client.ask({"SET", "after", "x"}) == "OK" &&
           RedisClient(scene.other().port()).ask({"GET", "after"}) == "x";
  }));
}

TEST_CASE("a mirror comes and goes with the configuration") {
  Scene scene;
  RedisClient client(scene.proxy.port);
  CHECK(client.ask({"SET", "a", "x"}) == "OK");
  REQUIRE(scene.has("a", "x"));
  scene.mirror("");
  REQUIRE(eventually([&] { return !scene.status().contains("mirror"); }));
  CHECK(client.ask({"SET", "b", "x"}) == "OK");
  scene.mirror("{listener: test.next}");
  REQUIRE(eventually([&] { return scene.status().contains("mirror"); }));
  CHECK(client.ask({"SET", "c", "x"}) == "OK");
  REQUIRE(scene.has("c", "x"));
  CHECK(RedisClient(scene.other().port()).ask({"EXISTS", "b"}) == "0");
}

TEST_CASE("a mirror gets copies until the last client has left a proxy that drains") {
  Scene scene;
  auto client = std::make_unique<RedisClient>(scene.proxy.port);
  CHECK(client->ask({"SET", "before", "x"}) == "OK");
  scene.proxy.process->signal(SIGTERM);
  REQUIRE(eventually([&] { return json::parse(scene.proxy.status_json())["draining"].get<bool>(); }));
  CHECK(client->ask({"SET", "late", "x"}) == "OK");
  CHECK(eventually([&] { return RedisClient(scene.other().port()).ask({"GET", "late"}) == "x"; }));
  client.reset();
  CHECK(scene.proxy.process->wait() == 0);
}
