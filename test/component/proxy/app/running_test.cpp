// The program as a whole, between real clients and real Redis servers.
#include <nlohmann/json.hpp>

#include <atomic>

#include "test/component/proxy/app/proxy_process.hpp"

using Catch::Matchers::Contains;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {

/// Keys that differ in their first bytes: fnv1a_64 scatters what follows a difference, and keys that differ
/// in their last byte alone lie close together on the ring.
std::string key(int i) {
  return std::to_string(i * 7919) + "-key";
}

}  // namespace

TEST_CASE("with REDIS_SERVERS alone it shards over them in twemproxy's place") {
  RedisServer one;
  RedisServer two;
  const std::uint16_t port = free_port();
  Process proxy({kProgram}, {{"REDIS_SERVERS", one.place() + ":1 " + two.place() + ":1"},
                             {"REDIS_LISTEN", "127.0.0.1:" + std::to_string(port)},
                             {"AMBASSADOR_HEALTH_PORT", "0"},
                             {"AMBASSADOR_ADMIN_PORT", "0"}});
  REQUIRE(eventually([&] { return RedisClient(port).connected(); }));
  RedisClient client(port);
  for (int i = 0; i < 200; ++i) {
    REQUIRE(client.ask({"SET", key(i), "value-" + std::to_string(i)}) == "OK");
  }
  for (int i = 0; i < 200; ++i) {
    REQUIRE(client.ask({"GET", key(i)}) == "value-" + std::to_string(i));
  }
  CHECK(one.keys() > 40);
  CHECK(two.keys() > 40);
  CHECK(one.keys() + two.keys() == 200);
  proxy.signal(SIGTERM);
}

TEST_CASE("locate names the server that really holds the key") {
  RedisServer one;
  RedisServer two;
  ProxyProcess proxy({&one, &two});
  proxy.wait_started();
  RedisClient client(proxy.port);
  std::string keys;
  for (int i = 0; i < 50; ++i) {
    keys += key(i) + "\n";
    REQUIRE(client.ask({"SET", key(i), "x"}) == "OK");
  }
  const Ran located = run({"locate", "--server", one.place() + ":1", "--server", two.place() + ":1"}, keys);
  REQUIRE(located.code == 0);
  std::istringstream lines(located.output);
  std::string place;
  int checked = 0;
  for (; std::getline(lines, place); ++checked) {
    const RedisServer& holder = place == one.place() ? one : two;
    CHECK(place == holder.place());
    CHECK(RedisClient(holder.port()).ask({"EXISTS", key(checked)}) == "1");
  }
  CHECK(checked == 50);
}

TEST_CASE("a reload adds a server, and a connection under load sees no error") {
  RedisServer one;
  RedisServer two;
  RedisServer three;
  ProxyProcess proxy({&one, &two});
  proxy.wait_started();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> right{0};
  std::thread load([&] {
    RedisClient client(proxy.port);
    for (int i = 0; !stop; ++i) {
      ++(client.ask({"SET", key(i % 500), "x"}) == "OK" ? right : wrong);
    }
  });
  REQUIRE(eventually([&] { return right > 100; }));
  SECTION("when the file is replaced") {
    proxy.configure({&one, &two, &three});
  }
  SECTION("when SIGHUP comes") {
    proxy.configure({&one, &two, &three});
    proxy.process->signal(SIGHUP);
  }
  CHECK(eventually([&] { return three.keys() > 50; }));
  const int before = right;
  CHECK(eventually([&] { return right > before + 100; }));
  stop = true;
  load.join();
  CHECK(wrong == 0);
  const Json status = Json::parse(proxy.status_json());
  CHECK(status["configuration"]["applied"] == 2);
  CHECK(status["listeners"][0]["clientsTotal"] == 1);
  CHECK(status["listeners"][0]["backends"].size() == 3);
}

TEST_CASE("what waits for a server that is no longer configured goes to the one that is") {
  RedisServer next;
  ProxyProcess proxy({free_port()}, "  redis: {mode: Failover}\n");
  proxy.wait_started();
  RedisClient client(proxy.port);
  client.send({"SET", "a", "1"});
  REQUIRE(eventually(
      [&] { return Json::parse(proxy.status_json())["listeners"][0]["backends"][0]["waiting"] == 1; }));
  proxy.configure({&next}, "  redis: {mode: Failover}\n");
  CHECK(client.receive() == "OK");
  CHECK(next.keys() == 1);
}

TEST_CASE("the kubelet's way of replacing a file, by a symlink swap, is seen") {
  RedisServer one;
  RedisServer two;
  ProxyProcess proxy({&one});
  proxy.process.reset();
  // config.yaml -> ..data/config.yaml, ..data -> the folder of one version
  Folder volume;
  const auto swap = [&](const std::string& version, const std::string& text) {
    std::filesystem::create_directory(volume.file(version));
    volume.write(version + "/config.yaml", text);
    std::filesystem::create_symlink(version, volume.file("..data_tmp"));
    std::filesystem::rename(volume.file("..data_tmp"), volume.file("..data"));
  };
  swap("..first", proxy.document({&one}));
  std::filesystem::create_symlink("..data/config.yaml", volume.file("config.yaml"));
  proxy.process =
      std::make_unique<Process>(std::vector<std::string>{kProgram, "--config", volume.file("config.yaml")});
  proxy.wait_started();
  const auto backends = [&] { return Json::parse(proxy.status_json())["listeners"][0]["backends"].size(); };
  CHECK(backends() == 1);
  swap("..second", proxy.document({&one, &two}));
  CHECK(eventually([&] { return backends() == 2; }));
  CHECK(Json::parse(proxy.status_json())["configuration"]["refused"] == 0);
}

TEST_CASE("a wrong file is refused with its line, and what ran before goes on") {
  RedisServer one;
  ProxyProcess proxy({&one});
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  proxy.configure({&one}, "  maxClients: none\n");
  REQUIRE(eventually([&] { return Json::parse(proxy.status_json())["configuration"]["refused"] > 0; }));
  CHECK(client.ask({"GET", "a"}) == "1");
  const Json configuration = Json::parse(proxy.status_json())["configuration"];
  CHECK_THAT(configuration["lastRefusal"].get<std::string>(),
             Contains("listeners[0].maxClients") && Contains("(line 9)"));
  CHECK_THAT(proxy.status(), Contains("maxClients"));
  CHECK_THAT(proxy.process->errors(), Contains("maxClients") && Contains("(line 9)"));
  proxy.configure({&one});
  CHECK(eventually([&] { return Json::parse(proxy.status_json())["configuration"]["lastRefusal"] == ""; }));
  CHECK(client.ask({"GET", "a"}) == "1");
}

TEST_CASE("without its file it does not start, and says what is wrong") {
  const Ran missing = run({"--config", "/nowhere/config.yaml"});
  CHECK(missing.code == 1);
  CHECK_THAT(missing.errors, Contains("/nowhere/config.yaml") && Contains("No such file"));
  Folder folder;
  const Ran wrong = run({"--config", folder.write("c.yaml", "version: 1\nlogLevel: Loud\n")});
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.errors, Contains("logLevel") && Contains("(line 2)"));
  const Ran servers = run({}, "", {{"REDIS_SERVERS", "a:1:0"}});
  CHECK(servers.code == 1);
  CHECK_THAT(servers.errors, Contains("REDIS_SERVERS") && Contains("weight '0'"));
}

TEST_CASE("a port that is taken ends the start with its name") {
  RedisServer one;
  ProxyProcess first({&one});
  first.wait_started();
  ProxyProcess second({&one});
  second.port = first.port;
  second.process.reset();
  second.configure({&one});
  const Ran ran = run({"--config", second.folder.file("config.yaml")});
  CHECK(ran.code == 1);
  CHECK_THAT(ran.errors, Contains("127.0.0.1:" + std::to_string(first.port)) && Contains("in use"));
}

TEST_CASE("SIGTERM lets clients go on, and the program ends soon after the last has left") {
  RedisServer one;
  ProxyProcess proxy({&one}, "", "drainTimeout: 20s\n");
  proxy.wait_started();
  auto client = std::make_unique<RedisClient>(proxy.port);
  CHECK(client->ask({"SET", "a", "1"}) == "OK");
  proxy.process->signal(SIGTERM);
  CHECK(proxy.process->wait(4s) == std::nullopt);  // longer than the pause after the last client
  CHECK(client->ask({"GET", "a"}) == "1");
  CHECK(RedisClient(proxy.port).ask({"GET", "a"}) == "1");
  client.reset();
  CHECK(proxy.process->wait(10s) == 0);
}

TEST_CASE("a drain takes no longer than drainTimeout") {
  RedisServer one;
  ProxyProcess proxy({&one}, "", "drainTimeout: 500ms\n");
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  proxy.process->signal(SIGTERM);
  CHECK(proxy.process->wait(5s) == 0);
  CHECK(client.ask({"GET", "a"}) == "(closed)");
}

TEST_CASE("shutdown: true in the configuration drains and ends with 0") {
  RedisServer one;
  ProxyProcess proxy({&one});
  proxy.wait_started();
  proxy.configure({&one}, "", "shutdown: true\n");
  CHECK(proxy.process->wait(15s) == 0);
}

TEST_CASE("as long as the listeners do not accept, probe fails") {
  RedisServer one;
  ProxyProcess proxy({&one}, "", "", {{"AMBASSADOR_TEST_BIND_DELAY", "10m"}});
  REQUIRE(eventually([&] { return proxy.status().find("not every listener accepts") != std::string::npos; }));
  CHECK(proxy.probe() == 1);
  CHECK_FALSE(RedisClient(proxy.port).connected());
  CHECK(run({"probe", "--wait", "100ms", "--port", std::to_string(free_port())}).code == 1);
  proxy.process->signal(SIGTERM);
  CHECK(proxy.process->wait() == 0);
}

TEST_CASE("probe --wait waits until they do") {
  RedisServer one;
  ProxyProcess proxy({&one}, "", "", {{"AMBASSADOR_TEST_BIND_DELAY", "1500ms"}});
  CHECK(run({"probe", "--wait", "30s", "--port", std::to_string(proxy.health)}).code == 0);
  CHECK(RedisClient(proxy.port).ask({"PING"}) == "PONG");
}

TEST_CASE("a server that dies is shown as down and used again when it is back") {
  RedisServer one;
  ProxyProcess proxy({&one}, "  timeouts: {queue: 500ms}\n");
  proxy.wait_started();
  const auto health = [&]() -> std::string {
    return Json::parse(proxy.status_json())["listeners"][0]["backends"][0]["health"];
  };
  CHECK(eventually([&] { return health() == "up"; }));
  one.stop();
  CHECK(eventually([&] { return health().find("down") == 0; }));
  RedisClient client(proxy.port);
  CHECK_THAT(client.ask({"GET", "a"}), Catch::Matchers::StartsWith("-"));
  one.start();
  CHECK(eventually([&] { return client.ask({"SET", "a", "1"}) == "OK"; }));
  CHECK(eventually([&] { return health() == "up"; }));
}

TEST_CASE("status reads well") {
  RedisServer one;
  RedisServer two;
  ProxyProcess proxy({&one, &two});
  proxy.wait_started();
  RedisClient client(proxy.port);
  for (int i = 0; i < 20; ++i) client.ask({"SET", key(i), "x"});
  const std::string status = proxy.status();
  INFO(status);
  CHECK_THAT(status,
             Contains("test.cache") && Contains(one.place()) && Contains(two.place()) && Contains("Redis"));
  std::istringstream lines(status);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 200);
  const Ran nobody = run({"status", "--port", std::to_string(free_port())});
  CHECK(nobody.code != 0);
  CHECK_THAT(nobody.errors + nobody.output, Contains("127.0.0.1"));
}

TEST_CASE("what it may leak is not dumped: no core, no ptrace by others") {
  RedisServer one;
  ProxyProcess proxy({&one});
  proxy.wait_started();
  std::ifstream limits("/proc/" + std::to_string(proxy.process->pid()) + "/limits");
  std::string line;
  bool found = false;
  while (std::getline(limits, line)) {
    if (line.find("Max core file size") != 0) continue;
    found = true;
    CHECK_THAT(line, Contains(" 0 "));
  }
  CHECK(found);
}
