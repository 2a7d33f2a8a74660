// What the program tells of keys that are asked for much, and of large ones, at real servers.
#include <nlohmann/json.hpp>

#include "test/component/proxy/app/proxy_process.hpp"

using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

struct Scene {
  RedisServer server;
  RedisServer other;
  ProxyProcess proxy;

  explicit Scene(const std::string& redis) : proxy({&server, &other}, "  redis: " + redis + "\n") {
    proxy.wait_started();
  }
  void configure(const std::string& redis) const {
    proxy.configure({&server, &other}, "  redis: " + redis + "\n");
    proxy.process->signal(SIGHUP);
  }
  [[nodiscard]] std::string shown(const std::string& what, const std::string& form) const {
    const Ran ran = run({what, "-o", form, "--port", std::to_string(proxy.admin)});
    CHECK(ran.code == 0);
    return ran.output;
  }
  [[nodiscard]] json all(const std::string& what) const { return json::parse(shown(what, "json")); }
  /// The one listener's.
  [[nodiscard]] json hot() const {
    const json listeners = all("hotkeys");
    REQUIRE(listeners.size() == 1);
    return listeners[0];
  }
  [[nodiscard]] std::vector<std::string> big() const {
    std::vector<std::string> names;
    for (const json& one : all("bigkeys"))
      names.push_back(one.at("command").get<std::string>() + " " + one.at("key").get<std::string>());
    return names;
  }
};

void ask_often(RedisClient& client, const std::vector<std::string>& words, int times) {
  client.send_at_once(std::vector<std::vector<std::string>>(static_cast<std::size_t>(times), words));
  for (int i = 0; i < times; ++i) REQUIRE(client.receive() != "(closed)");
}

}  // namespace

TEST_CASE("the keys that are asked for most are told with how often, and no value") {
  const Scene scene("{hotKeys: {oneIn: 1}}");
  RedisClient client(scene.proxy.port);
  CHECK(scene.hot().at("keys").empty());
  CHECK_THAT(scene.shown("hotkeys", "table"), Contains("no key is asked for often"));
  ask_often(client, {"SET", "hot", "secret-7391"}, 60);
  ask_often(client, {"MGET", "hot", "warm", "hot"}, 10);
  ask_often(client, {"SET", "bell\a\xff" + std::string(5000, 'k'), "x"}, 10);
  ask_often(client, {"PING"}, 10);
  CHECK(client.ask({"MULTI"}) == "OK");
  ask_often(client, {"INCR", "counter"}, 5);
  CHECK_THAT(client.ask({"EXEC"}), Contains("5"));
  const json hot = scene.hot();
  CHECK(hot.at("listener") == "test.cache");
  CHECK(hot.at("sampledOneIn") == 1);
  CHECK(hot.at("halfLifeSeconds") == 30);
  const json& keys = hot.at("keys");
  REQUIRE(keys.size() == 4);
  CHECK(keys[0].at("key") == "hot");
  CHECK(keys[0].at("share") == Approx(80.0 / 105).margin(0.01));  // all are about as old
  CHECK(keys[0].at("errorPerSecond") == 0);
  CHECK(keys[0].at("requestsPerSecond").get<double>() > 1);
  CHECK(keys[0].at("requestsPerSecond").get<double>() < 82);
  CHECK(keys[3].at("key") == "counter");
  CHECK(keys[3].at("share") == Approx(5.0 / 105).margin(0.01));
  const std::string table = scene.shown("hotkeys", "table");
  CHECK_THAT(table, Contains("REQUESTS/S") && Contains("bell?") && Contains("one command in 1 tells"));
  CHECK_THAT(table, !Contains(std::string(129, 'k')));
  CHECK_THAT(table + hot.dump(), !Contains("secret-7391"));
}

TEST_CASE("a sample finds the hot key, and its figure is as good as is said") {
  const Scene scene("{}");
  RedisClient client(scene.proxy.port);
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::vector<std::string>> commands;
    for (int i = 0; i < 50; ++i) {
      commands.push_back({"GET", "hot"});
      commands.push_back({"GET", "cold-" + std::to_string(50 * round + i)});
    }
    client.send_at_once(commands);
    for (std::size_t i = 0; i < commands.size(); ++i) REQUIRE(client.receive() == "(nil)");
  }
  const json hot = scene.hot();
  CHECK(hot.at("sampledOneIn") == 64);
  REQUIRE(hot.at("keys").size() == 1);
  const json& key = hot.at("keys")[0];
  CHECK(key.at("key") == "hot");
  CHECK(key.at("share") == Approx(0.5).margin(0.2));
  CHECK(key.at("errorPerSecond").get<double>() > 0);
  CHECK(key.at("errorPerSecond").get<double>() < key.at("requestsPerSecond").get<double>() / 2);
}

TEST_CASE("keys are counted as the configuration says, and what was counted outlives another one") {
  const Scene scene("{hotKeys: {oneIn: 1, size: 1}}");
  RedisClient client(scene.proxy.port);
  ask_often(client, {"GET", "hot"}, 30);
  ask_often(client, {"GET", "warm"}, 20);
  CHECK(scene.hot().at("keys").size() == 1);
  scene.configure("{hotKeys: {oneIn: 1, size: 2}}");
  CHECK(eventually([&] { return scene.hot().at("keys").size() == 2; }));
  scene.configure("{hotKeys: {size: 0}}");
  CHECK(eventually([&] { return scene.all("hotkeys").empty(); }));
  ask_often(client, {"GET", "hot"}, 200);
  CHECK(scene.shown("hotkeys", "table") == "no listener counts its keys\n");
}

TEST_CASE("keys of large messages are told with their bytes, whichever way these go, and no value") {
  const Scene scene("{}");
  RedisClient client(scene.proxy.port);
  CHECK(scene.shown("bigkeys", "table") == "no big keys\n");
  const std::string written(20'000, 'w');
  CHECK(client.ask({"SET", "small", std::string(15'000, 's')}) == "OK");
  CHECK(client.ask({"SET", "written", written}) == "OK");
  CHECK(client.ask({"SET", "streamed", std::string(300'000, 't')}) == "OK");
  for (int i = 0; i < 100; ++i)
    client.send({"HSET", "hash", "field-" + std::to_string(i), std::string(500, 'h')});
  for (int i = 0; i < 100; ++i) REQUIRE(client.receive() == "1");
  CHECK(scene.big() == std::vector<std::string>{"set streamed", "set written"});
  CHECK_THAT(client.ask({"HGETALL", "hash"}), Contains("field-7 hhh"));
  CHECK(client.ask({"GET", "small"}).size() == 15'000);
  CHECK(client.ask({"GET", "written"}) == written);
  CHECK_THAT(client.ask({"KEYS", "*"}), Contains("hash"));
  const json all = scene.all("bigkeys");
  CHECK(scene.big() == std::vector<std::string>{"set streamed", "hgetall hash", "set written"});
  REQUIRE(all.size() == 3);
  CHECK(all[0].at("bytes").get<int>() > 300'000);
  CHECK(all[0].at("bytes").get<int>() < 300'100);
  CHECK(all[1].at("bytes").get<int>() > 100 * 507);
  CHECK(all[1].at("bytes").get<int>() < 100 * 530);
  CHECK(all[2].at("listener") == "test.cache");
  CHECK_THAT(all[2].at("time").get<std::string>(), Contains("T"));
  const std::string table = scene.shown("bigkeys", "table");
  CHECK_THAT(table, Contains("COMMAND") && Contains("300.0k") && Contains("hgetall"));
  CHECK_THAT(table + all.dump(), !Contains("www") && !Contains("ttt") && !Contains("hhh"));
}

TEST_CASE("a value that grew is told by what reads it; a transaction by its first key") {
  const Scene scene("{bigKeys: {threshold: 4096, size: 2}}");
  RedisClient client(scene.proxy.port);
  ask_often(client, {"APPEND", "log", std::string(1000, 'x')}, 40);
  CHECK(scene.big().empty());
  CHECK(client.ask({"GET", "log"}).size() == 40'000);
  CHECK(client.ask({"MULTI"}) == "OK");
  CHECK(client.ask({"GET", "log"}) == "QUEUED");
  CHECK(client.ask({"APPEND", "log", "y"}) == "QUEUED");
  CHECK_THAT(client.ask({"EXEC"}), Contains("40001"));
  CHECK(scene.big() == std::vector<std::string>{"exec log"});
  CHECK(client.ask({"SET", "a", std::string(5000, 'x')}) == "OK");
  CHECK(client.ask({"SET", "b", std::string(6000, 'x')}) == "OK");
  CHECK(scene.big() == std::vector<std::string>{"exec log", "set b"});
  scene.configure("{bigKeys: {size: 0}}");
  CHECK(eventually([&] { return scene.big().empty(); }));
  CHECK(client.ask({"GET", "log"}).size() == 40'001);
  CHECK(scene.big().empty());
}
