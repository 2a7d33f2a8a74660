// What waits for a shard that leaves the configuration is done by whoever has its keys then.
#include "cores.hpp"
#include "test/component/proxy/app/redis.hpp"

namespace {

using namespace ambassador;
using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using running::backend;

struct Three {
  RedisServer s0, s1, s2{free_port(), {"--enable-debug-command", "yes"}};
  config::Listener listener = running::listener_named("cache", config::Protocol::redis, {});
  running::Proxy proxy{running::cores()};
  std::vector<std::string> keys;  // some of the third

  Three() {
    listener.backends = {backend("s0", s0.port()), backend("s1", s1.port()), backend("s2", s2.port())};
    listener.redis.mode = config::RedisMode::sharded;
    listener.timeouts.queue = 20s;
    REQUIRE(proxy.apply(listener));
    RedisClient client(listener.port), third(s2.port());
    for (int i = 0; keys.size() < 8; ++i) {
      const std::string key = "k" + std::to_string(i);
      REQUIRE(client.ask({"SET", key, "x"}) == "OK");
      if (third.ask({"EXISTS", key}) == "1") keys.push_back(key);
    }
  }
  void remove_third() {
    listener.backends.pop_back();
    REQUIRE(proxy.apply(listener));
  }
  // Whether one of the others has it, in that database.
  [[nodiscard]] std::string found(const std::string& key, const std::string& database = "0") const {
    for (const RedisServer* server : {&s0, &s1}) {
      RedisClient direct(server->port());
      direct.ask({"SELECT", database});
      if (const std::string value = direct.ask({"GET", key}); value != "(nil)") return value;
    }
    return "(nil)";
  }
};

}  // namespace

TEST_CASE("what waits for a shard that is removed is done where its keys lie then, in its order") {
  Three three;
  RedisClient client(three.listener.port), other(three.listener.port);
  CHECK(other.ask({"SELECT", "1"}) == "OK");
  CHECK(other.ask({"GET", three.keys[0]}) == "(nil)");
  three.s2.stop();
  REQUIRE(eventually([&] { return three.proxy.backend(2).lanes_open == 0; }));
  client.send_at_once({{"SET", three.keys[0], "1"},
                       {"APPEND", three.keys[0], "2"},
                       {"GET", three.keys[0]},
                       {"DEL", three.keys[1]},
                       {"SET", three.keys[2], "3"}});
  other.send({"SET", three.keys[0], "of another database"});
  REQUIRE(eventually([&] { return three.proxy.backend(2).waiting == 6; }));
  three.remove_third();
  CHECK(client.receive() == "OK");
  CHECK(client.receive() == "2");
  CHECK(client.receive() == "12");
  CHECK(client.receive() == "0");
  CHECK(client.receive() == "OK");
  CHECK(other.receive() == "OK");
  CHECK(three.found(three.keys[0]) == "12");
  CHECK(three.found(three.keys[2]) == "3");
  CHECK(three.found(three.keys[0], "1") == "of another database");
}

TEST_CASE("a read on its way to a shard that dies after it was removed is asked of who has its key then") {
  Three three;
  RedisClient client(three.listener.port), writes(three.listener.port);
  RedisClient(three.s2.port()).send({"DEBUG", "SLEEP", "5"});
  std::this_thread::sleep_for(50ms);
  client.send({"GET", three.keys[0]});
  writes.send({"SET", three.keys[1], "1"});
  REQUIRE(eventually([&] { return three.proxy.backend(2).owed == 2; }));
  three.remove_third();
  three.s2.stop();
  CHECK(client.receive() == "(nil)");
  CHECK_THAT(writes.receive(), StartsWith("-ERR backend s2 closed the connection"));
}
