// The program in front of a primary and its replicas, which change places: it finds out by itself.
#include "test/component/proxy/app/redis_replicas.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using namespace std::chrono_literals;

TEST_CASE("writes go to the primary and reads to replicas, whichever they are") {
  Trio trio;
  ProxyProcess proxy({&trio.s1, &trio.s0, &trio.s2},
                     "  redis: {mode: Replicated, readPreference: PreferReplica}\n");
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  CHECK(trio.s0.info("commandstats", "cmdstat_set") != "");
  const auto read_by_replica = [&] {
    client.ask({"GET", "a"});
    return !trio.s1.info("commandstats", "cmdstat_get").empty() ||
           !trio.s2.info("commandstats", "cmdstat_get").empty();
  };
  CHECK(eventually(read_by_replica));
  CHECK(eventually([&] { return client.ask({"GET", "a"}) == "1"; }));  // a replica has it a little later
  CHECK(eventually([&] { return proxy.status().find(", replica, 0.0s behind") != std::string::npos; }));
  CHECK_THAT(proxy.status(), Contains(", primary"));
}

TEST_CASE("a switch-over by hand costs clients no error, and no write") {
  Trio trio;
  ProxyProcess proxy(trio.all(), "  redis: {mode: Replicated}\n");
  proxy.wait_started();
  Writers writers(proxy.port);
  REQUIRE(eventually([&] { return writers.done() > 500; }));
  RedisClient old(trio.s0.port());
  REQUIRE(old.ask({"FAILOVER", "TO", "127.0.0.1", std::to_string(trio.s1.port())}) == "OK");
  REQUIRE(eventually([&] { return trio.s1.info("replication", "role") == "master"; }));
  const long then = writers.done();
  CHECK(eventually([&] { return writers.done() > then + 500; }));
  writers.stop();
  INFO(writers.error());
  CHECK(writers.errors() == 0);
  CHECK(trio.s1.info("commandstats", "cmdstat_incr") != "");
}

TEST_CASE("when the primary dies and a replica is promoted, clients go on with that one") {
  Trio trio;
  ProxyProcess proxy(trio.all(), "  redis: {mode: Replicated, readPreference: PreferReplica}\n");
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  REQUIRE(eventually([&] { return RedisClient(trio.s2.port()).ask({"GET", "a"}) == "1"; }));
  trio.s0.stop();
  client.send({"SET", "a", "2"});
  std::this_thread::sleep_for(300ms);  // who promotes takes its time
  trio.s2.promote();
  const std::string reply = client.receive();
  // It waited, or it was on its way when the server died.
  if (reply != "OK") CHECK_THAT(reply, StartsWith("-ERR backend"));
  CHECK(client.ask({"SET", "a", "3"}) == "OK");
  CHECK(RedisClient(trio.s2.port()).ask({"GET", "a"}) == "3");
  trio.s1.follow(trio.s2);
  CHECK(eventually([&] { return client.ask({"GET", "a"}) == "3"; }));
}

TEST_CASE("an old primary that comes back as one gets no writes") {
  Trio trio;
  ProxyProcess proxy(trio.all(), "  redis: {mode: Replicated}\n");
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  trio.s0.stop();
  trio.s1.promote();
  CHECK(eventually([&] { return client.ask({"SET", "a", "2"}) == "OK"; }));
  trio.s0.start();  // empty, and it says that it is a primary
  for (int i = 0; i < 200; ++i) {
    REQUIRE(client.ask({"INCR", "n"}) == std::to_string(i + 1));
    std::this_thread::sleep_for(5ms);
  }
  CHECK(trio.s0.keys() == 0);
}

TEST_CASE("a replica that lost its primary answers no reads") {
  Trio trio;
  ProxyProcess proxy(trio.all(),
                     "  timeouts: {queue: 500ms}\n  redis: {mode: Replicated, readPreference: Replica}\n");
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  CHECK(eventually([&] { return client.ask({"GET", "a"}) == "1"; }));
  trio.s0.stop();
  CHECK(eventually([&] { return client.ask({"GET", "a"}) == "-ERR no backend is available"; }));
}
