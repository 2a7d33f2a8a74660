// Reads whose server went away before it answered are asked once more: by the same server when it is back, or
// by another one. Writes are not, since they may have been done.
#include "cores.hpp"
#include "test/component/proxy/app/redis.hpp"

namespace {

using namespace ambassador;
using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using running::backend;

struct Two {
  RedisServer s0{free_port(), {"--enable-debug-command", "yes"}};
  RedisServer s1{free_port(), {"--enable-debug-command", "yes"}};
  config::Listener listener = running::listener_named("cache", config::Protocol::redis, {});
  running::Proxy proxy{running::cores()};

  explicit Two(config::RedisMode mode, std::size_t servers = 2) {
    listener.backends = {backend("s0", s0.port()), backend("s1", s1.port())};
    listener.backends.resize(servers);
    listener.redis.mode = mode;
    REQUIRE(proxy.apply(listener));
  }
};

// The server does nothing for so long, and then what was asked meanwhile; unless it is gone by then.
void stop_for_a_while(const RedisServer& server, const std::string& seconds) {
  RedisClient(server.port()).send({"DEBUG", "SLEEP", seconds});
  std::this_thread::sleep_for(50ms);
}

}  // namespace

TEST_CASE("a read that was on its way to a server that dies is answered by the next one") {
  Two two(config::RedisMode::failover);
  RedisClient client(two.listener.port);
  CHECK(client.ask({"SET", "a", "0"}) == "OK");
  CHECK(RedisClient(two.s1.port()).ask({"SET", "a", "1"}) == "OK");
  stop_for_a_while(two.s0, "5");
  client.send_at_once({{"GET", "a"}, {"SET", "a", "2"}, {"GET", "a"}});
  std::this_thread::sleep_for(50ms);
  two.s0.stop();
  CHECK(client.receive() == "1");
  CHECK_THAT(client.receive(), StartsWith("-ERR backend s0 closed the connection"));
  CHECK(client.receive() == "1");
}

TEST_CASE("a read is answered by its own shard when that is back") {
  Two two(config::RedisMode::sharded);
  RedisClient client(two.listener.port);
  std::string key = "k0";
  for (int i = 1; client.ask({"SET", key, "x"}) == "OK" && two.s0.keys() == 0; ++i)
    key = "k" + std::to_string(i);
  stop_for_a_while(two.s0, "5");
  client.send({"GET", key});
  client.send({"MGET", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"});
  std::this_thread::sleep_for(50ms);
  two.s0.stop();
  two.s0.start();
  CHECK(client.receive() == "(nil)");
  CHECK_THAT(client.receive(), StartsWith("*["));
}

TEST_CASE("a read that takes one server down does not go on to take down the next") {
  Two two(config::RedisMode::failover);
  RedisClient client(two.listener.port);
  CHECK(client.ask({"GET", "a"}) == "(nil)");
  for (const RedisServer* server : {&two.s0, &two.s1}) stop_for_a_while(*server, "5");
  client.send({"GET", "a"});
  std::this_thread::sleep_for(50ms);
  two.s0.stop();
  const bool moved = eventually([&] { return two.proxy.backend(1).owed == 1; });
  INFO(two.proxy.events());
  CHECK(moved);
  two.s1.stop();
  CHECK_THAT(client.receive(), StartsWith("-ERR backend s1 closed the connection"));
}

TEST_CASE("half an answer can't be taken back") {
  Two one(config::RedisMode::sharded, 1);
  RedisClient client(one.listener.port);
  const std::string large(20'000'000, 'x');
  CHECK(client.ask({"SET", "a", large}) == "OK");
  RedisClient reader(one.listener.port);
  reader.send({"GET", "a"});
  std::this_thread::sleep_for(100ms);  // the beginning is there
  one.s0.stop();
  one.s0.start();
  CHECK(reader.receive() == "(closed)");
}
