// What the program tells of commands that took long, at real servers that are made slow.
#include <nlohmann/json.hpp>

#include "test/component/proxy/app/proxy_process.hpp"

using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

struct Scene {
  RedisServer server;
  ProxyProcess proxy;

  explicit Scene(const std::string& slow_log = "{threshold: 100ms, size: 4}")
      : proxy({&server}, "  redis: {slowLog: " + slow_log + "}\n") {
    proxy.wait_started();
  }
  /// Sends the commands, of which the server leaves `owed` unanswered for longer than the threshold.
  void slow(RedisClient& client, const std::vector<std::vector<std::string>>& commands, int owed = 1) const {
    RedisClient admin(server.port());
    REQUIRE(admin.ask({"CLIENT", "PAUSE", "60000", "WRITE"}) == "OK");
    client.send_at_once(commands);
    REQUIRE(eventually([&] {
      return json::parse(proxy.status_json())["listeners"][0]["backends"][0]["owed"].get<int>() == owed;
    }));
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    REQUIRE(admin.ask({"CLIENT", "UNPAUSE"}) == "OK");
  }
  [[nodiscard]] std::string shown(const std::string& form) const {
    const Ran ran = run({"slowlog", "-o", form, "--port", std::to_string(proxy.admin)});
    CHECK(ran.code == 0);
    return ran.output;
  }
  [[nodiscard]] json all() const { return json::parse(shown("json")); }
  [[nodiscard]] std::vector<std::string> commands() const {
    std::vector<std::string> names;
    for (const json& one : all())
      names.push_back(one.at("command").get<std::string>() + " " + one.at("key").get<std::string>());
    return names;
  }
};

}  // namespace

TEST_CASE("a command that took long is told with time, client, server, command and key, and no value") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  CHECK(client.ask({"SET", "quick", "x"}) == "OK");
  CHECK(scene.all().empty());
  CHECK(scene.shown("table") == "no slow requests\n");
  scene.slow(client, {{"SET", "the-key", "secret-7391"}});
  CHECK(client.receive() == "OK");
  const json all = scene.all();
  REQUIRE(all.size() == 1);
  const json& slow = all[0];
  CHECK(slow.at("command") == "set");
  CHECK(slow.at("key") == "the-key");
  CHECK(slow.at("listener") == "test.cache");
  CHECK(slow.at("backend") == scene.server.place());
  CHECK(slow.at("client").get<std::string>().starts_with("127.0.0.1:"));
  CHECK(slow.at("durationSeconds").get<double>() >= 0.1);
  CHECK(slow.at("durationSeconds").get<double>() < 10);
  CHECK_THAT(slow.at("time").get<std::string>(), Contains("T"));
  const std::string table = scene.shown("table");
  CHECK_THAT(table, Contains("COMMAND") && Contains("set") && Contains("the-key"));
  CHECK_THAT(table + all.dump(), !Contains("secret-7391"));
  CHECK_THAT(scene.proxy.status_json(), Contains("\"slowRequests\": 1"));
}

TEST_CASE("of slow commands the last are kept, the newest first; keys are cut and made readable") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 6; ++i) commands.push_back({"INCR", "key-" + std::to_string(i)});
  commands.push_back({"SET", std::string(5000, 'k'), "x"});
  commands.push_back({"SET", "bell\a\xff", "x"});
  scene.slow(client, commands, 8);
  for (std::size_t i = 0; i < commands.size(); ++i) CHECK(client.receive() != "(closed)");
  const auto names = scene.commands();
  REQUIRE(names.size() == 4);
  CHECK(std::ranges::count(names, "incr key-4") == 1);
  CHECK(std::ranges::count(names, "incr key-5") == 1);
  CHECK(std::ranges::count(names, "set " + std::string(128, 'k')) == 1);
  CHECK(std::ranges::count(names, "set bell\a\xef\xbf\xbd") == 1);
  CHECK_THAT(scene.shown("table"), Contains("bell?"));
}

TEST_CASE("large messages and transactions are slow commands, too; who blocks is none") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  RedisClient blocked(scene.proxy.port);
  blocked.send({"BLPOP", "queue", "5"});
  scene.slow(client, {{"SET", "large", std::string(300'000, 'x')}}, 2);
  CHECK(client.receive() == "OK");
  scene.slow(client, {{"MULTI"}, {"INCR", "counter"}, {"SET", "other", "x"}, {"EXEC"}}, 2);
  for (const char* expected : {"OK", "QUEUED", "QUEUED"}) CHECK(client.receive() == expected);
  CHECK(client.receive() == "*[1 OK]");
  CHECK(client.ask({"RPUSH", "queue", "x"}) == "1");
  CHECK(blocked.receive() == "*[queue x]");
  CHECK(scene.commands() == std::vector<std::string>{"exec counter", "set large"});
}

TEST_CASE("the threshold and the size follow the configuration; none is kept with size 0") {
  const Scene scene("{threshold: 0s, size: 2}");
  RedisClient client(scene.proxy.port);
  for (const char* key : {"a", "b", "c"}) CHECK(client.ask({"SET", key, "x"}) == "OK");
  CHECK(scene.commands() == std::vector<std::string>{"set c", "set b"});
  scene.proxy.configure({&scene.server}, "  redis: {slowLog: {size: 0}}\n");
  scene.proxy.process->signal(SIGHUP);
  CHECK(eventually([&] { return scene.all().empty(); }));
  scene.slow(client, {{"INCR", "n"}});
  CHECK(client.receive() == "1");
  CHECK(scene.all().empty());
}

TEST_CASE("SLOWLOG is about the servers, as ever") {
  const Scene scene;
  RedisClient client(scene.proxy.port);
  CHECK_THAT(client.ask({"SLOWLOG", "GET"}), Contains("not supported in this version of the ambassador"));
  CHECK(client.ask({"SLOWLOG", "RESET"}) == "OK");
  CHECK(client.ask({"SLOWLOG", "LEN"}) == "0");
}
