#include "common/config/redis_servers.hpp"

#include <catch2/catch.hpp>

#include "common/config/parse.hpp"
#include "common/config/print.hpp"

using namespace ambassador::config;
using Catch::Matchers::Contains;

TEST_CASE("a server is split from the right") {
  const auto [text, host, port, weight, name, given] =
      GENERATE(table<const char*, const char*, int, unsigned, const char*, const char*>({
          {"redis-0.redis-svc:6379:1", "redis-0.redis-svc", 6379, 1, "redis-0.redis-svc:6379",
           "redis-0.redis-svc:6379"},
          {"127.0.0.1:6379:3 one", "127.0.0.1", 6379, 3, "one", "one"},
          {"127.0.0.1:11211:1", "127.0.0.1", 11211, 1, "127.0.0.1", "127.0.0.1:11211"},
          {"[::1]:6379:1", "::1", 6379, 1, "[::1]:6379", "[::1]:6379"},
          {"::1:6379:1", "::1", 6379, 1, "::1:6379", "::1:6379"},
          {"/tmp/x.sock:2", "/tmp/x.sock", 0, 2, "/tmp/x.sock:", "/tmp/x.sock"},
          {"/tmp/x.sock:2 y", "/tmp/x.sock", 0, 2, "y", "y"},
      }));
  CAPTURE(text);
  const auto server = parse_redis_server(text);
  REQUIRE(server.ok());
  CHECK(server->backend == Backend{name, host, static_cast<std::uint16_t>(port), weight});
  CHECK(server->given == given);
}

TEST_CASE("a server that is not one is refused with the way out") {
  const auto [text, expected] = GENERATE(table<const char*, const char*>({
      {"", "has no weight"},
      {"redis-0", "has no weight"},
      {"redis-0:6379", "has no port or no weight"},
      {"redis-0:6379:0", "the weight '0' is not 1 to 1000"},
      {"redis-0:6379:x", "the weight 'x'"},
      {"redis-0:6379:-1", "the weight '-1'"},
      {"redis-0:0:1", "the port '0' is not 1 to 65535"},
      {"redis-0:70000:1", "the port '70000'"},
      {":6379:1", "is neither a DNS name nor an IP address"},
      {"a b:1:1", "no weight"},
      {"a:1:1 two names", "a name that is not one word"},
  }));
  CAPTURE(text);
  const auto server = parse_redis_server(text);
  REQUIRE_FALSE(server.ok());
  CHECK_THAT(server.error().what, Contains(expected) && Contains("give host:port:weight"));
}

TEST_CASE("the seed's variable becomes a listener with twemproxy's defaults") {
  const auto document = from_redis_servers(
      "redis-st-0.redis-svc.default.svc.cluster.local:6379:1 "
      "redis-st-1.redis-svc.default.svc.cluster.local:6379:1",
      "");
  REQUIRE(document.ok());
  REQUIRE(document->listeners.size() == 1);
  const Listener& listener = document->listeners[0];
  CHECK(listener.protocol == Protocol::redis);
  CHECK(listener.port == 6380);
  CHECK(listener.addresses.empty());
  CHECK(listener.redis.mode == RedisMode::sharded);
  CHECK(listener.redis.hash == Hash::fnv1a_64);
  CHECK(listener.redis.distribution == Distribution::ketama);
  CHECK(listener.redis == Redis{});
  REQUIRE(listener.backends.size() == 2);
  CHECK(listener.backends[0].name == "redis-st-0.redis-svc.default.svc.cluster.local:6379");
  CHECK(parse(print(*document)).ok());
}

TEST_CASE("names follow their server; commas and newlines separate too") {
  const auto document = from_redis_servers(" a:1:1 one, b:2:2\n c:3:1 three ", "0.0.0.0:7000");
  REQUIRE(document.ok());
  const auto& backends = document->listeners[0].backends;
  REQUIRE(backends.size() == 3);
  CHECK(backends[0].name == "one");
  CHECK(backends[1] == Backend{"b:2", "b", 2, 2});
  CHECK(backends[2].name == "three");
  CHECK(document->listeners[0].addresses == std::vector<std::string>{"0.0.0.0"});
  CHECK(document->listeners[0].port == 7000);
}

TEST_CASE("a wrong REDIS_SERVERS or REDIS_LISTEN says which and why") {
  const auto error = [](const char* servers, const char* listen) {
    return from_redis_servers(servers, listen).error();
  };
  CHECK(error("", "").where == "REDIS_SERVERS");
  CHECK_THAT(error("a:1:1 x y", "").what, Contains("no weight"));
  CHECK_THAT(error("a:1:0", "").what, Contains("weight '0'"));
  CHECK_THAT(error("a:1:1 a:1:1", "").what, Contains("two servers are called 'a:1'"));
  CHECK(error("a:1:1", "nowhere").where == "REDIS_LISTEN");
  CHECK_THAT(error("a:1:1", "example.org:6380").what, Contains("does not begin with an IP address"));
  CHECK_THAT(error("a:1:1", "127.0.0.1:0").what, Contains("has no port from 1 to 65535"));
}

TEST_CASE("REDIS_LISTEN may be IPv6, every address, localhost or a socket") {
  const auto listener = [](const char* listen) { return from_redis_servers("a:1:1", listen)->listeners[0]; };
  CHECK(listener("[::1]:6380").addresses == std::vector<std::string>{"::1"});
  CHECK(listener(":6380").addresses == std::vector<std::string>{"0.0.0.0"});
  CHECK(listener("localhost:6381").addresses.empty());
  CHECK(listener("/run/r.sock").unix_socket == "/run/r.sock");
  CHECK(listener("/run/r.sock").port == 0);
}
