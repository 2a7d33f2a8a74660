// Clients that ask more often than they may, at real servers.
#include <nlohmann/json.hpp>

#include "proxy/app/local_http.hpp"
#include "test/component/proxy/app/proxy_process.hpp"

using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::string limited(const std::string& rate) {
  return "  redis: {rateLimit: " + rate + "}\n";
}

struct Scene {
  RedisServer server;
  ProxyProcess proxy;

  explicit Scene(const std::string& more) : proxy({&server}, more) { proxy.wait_started(); }

  [[nodiscard]] json listener() const { return json::parse(proxy.status_json())["listeners"][0]; }
  [[nodiscard]] int throttles() const { return listener()["throttles"].get<int>(); }
  [[nodiscard]] std::string shown(std::uint16_t port, const std::string& path) const {
    const auto answer = ambassador::proxy::app::http_get(port, path, std::chrono::seconds(3));
    REQUIRE(answer);
    return answer->body;
  }
  void reconfigure(const std::string& more) {
    proxy.configure({&server}, more);
    proxy.process->signal(SIGHUP);
  }
};

std::vector<std::vector<std::string>> increments(int count) {
  return {static_cast<std::size_t>(count), {"INCR", "n"}};
}

}  // namespace

TEST_CASE("who asks too often is served later, in order, and as often as it may") {
  const Scene scene(limited("{requestsPerSecond: 20, burst: 5}"));
  RedisClient client(scene.proxy.port);
  const auto began = Clock::now();
  client.send_at_once(increments(15));
  for (int i = 1; i <= 15; ++i) CHECK(client.receive() == std::to_string(i));
  CHECK(Clock::now() - began >= milliseconds(450));  // ten tokens; the bucket held five
  CHECK(scene.throttles() > 0);
}

TEST_CASE("who is held back is told of, and holds up nobody else") {
  const Scene scene(limited("{requestsPerSecond: 1}"));
  RedisClient hasty(scene.proxy.port);
  RedisClient other(scene.proxy.port);
  hasty.send_at_once(increments(60));
  CHECK(hasty.receive() == "1");
  REQUIRE(eventually([&] { return scene.throttles() > 0; }));
  CHECK(std::stoi(other.ask({"GET", "n"})) < 60);
  CHECK(hasty.receive() == "2");
  CHECK(hasty.receive() == "3");
  CHECK(scene.listener()["throttledSeconds"].get<double>() > 1);
  CHECK_THAT(scene.proxy.status(), Contains("clients asked too often") && Contains(" times, and waited "));
  const json clients = json::parse(scene.shown(scene.proxy.admin, "/clients"));
  REQUIRE(clients.size() == 2);
  const auto throttled = [](const json& client) { return client["throttles"].get<int>() > 1; };
  CHECK(std::ranges::count_if(clients, throttled) == 1);
  CHECK_THAT(scene.shown(scene.proxy.health, "/metrics"),
             Contains("ambassador_proxy_throttles_total{listener=\"test.cache\"} ") &&
                 Contains("ambassador_proxy_throttled_seconds_total{listener=\"test.cache\"} "));
}

TEST_CASE("a message is one request, however large it is and to however many servers it goes") {
  const RedisServer one;
  const RedisServer two;
  ProxyProcess proxy({&one, &two}, limited("{requestsPerSecond: 1, burst: 3}"));
  proxy.wait_started();
  RedisClient client(proxy.port);
  std::vector<std::string> set{"MSET"};
  std::vector<std::string> get{"MGET"};
  for (int i = 0; i < 400; ++i) {
    set.insert(set.end(), {"key-" + std::to_string(i), "x"});
    get.push_back("key-" + std::to_string(i));
  }
  client.send_at_once({{"SET", "large", std::string(300'000, 'x')}, set, get});
  CHECK(client.receive() == "OK");
  CHECK(client.receive() == "OK");
  CHECK_THAT(client.receive(), Catch::StartsWith("*[x x x"));
  CHECK_THAT(proxy.status_json(), Contains("\"throttles\": 0"));
  CHECK((one.keys() > 0 && two.keys() > 0));
}

TEST_CASE("another rate counts for who is connected, at once") {
  Scene scene(limited("{requestsPerSecond: 1}"));
  RedisClient client(scene.proxy.port);
  client.send_at_once(increments(2000));
  CHECK(client.receive() == "1");
  REQUIRE(eventually([&] { return scene.throttles() > 0; }));
  scene.reconfigure(limited("{requestsPerSecond: 1000000}"));
  for (int i = 2; i <= 2000; ++i) REQUIRE(client.receive() == std::to_string(i));

  scene.reconfigure(limited("{requestsPerSecond: 1}"));
  const int before = scene.throttles();
  REQUIRE(eventually([&] {
    client.send_at_once(increments(2));
    return client.receive() != "(closed)" && client.receive() != "(closed)" && scene.throttles() > before;
  }));
  client.send_at_once({{"ECHO", "the last"}});
  scene.reconfigure("");
  CHECK(client.receive() == "the last");
  CHECK(client.ask({"ECHO", "more"}) == "more");
}

TEST_CASE("who is held back is not idle") {
  const Scene scene(limited("{requestsPerSecond: 1}") + "  timeouts: {idle: 300ms}\n");
  RedisClient client(scene.proxy.port);
  client.send_at_once(increments(3));
  for (const char* expected : {"1", "2", "3"}) CHECK(client.receive() == expected);
  CHECK(client.receive() == "(closed)");  // now it is
}

TEST_CASE("who is held back and leaves is gone, and a drain waits for who is left") {
  Scene scene(limited("{requestsPerSecond: 1}"));
  {
    RedisClient leaves(scene.proxy.port);
    leaves.send_at_once(increments(100));
    CHECK(leaves.receive() == "1");
  }
  CHECK(eventually([&] { return scene.listener()["clients"] == 0; }));
  RedisClient stays(scene.proxy.port);
  stays.send_at_once({{"ECHO", "a"}, {"ECHO", "b"}});
  CHECK(stays.receive() == "a");
  scene.proxy.process->signal(SIGTERM);
  CHECK(stays.receive() == "b");
  CHECK(scene.proxy.process->wait() == 0);
}
