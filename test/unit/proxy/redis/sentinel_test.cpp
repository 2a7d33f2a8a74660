// What a Sentinel answers, in the words of Redis 7.0, and in those of servers that are no Sentinel.
#include <catch2/catch.hpp>

#include "proxy/redis/reply.hpp"
#include "proxy/redis/sentinel.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using Health = Probing::Health;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string described(const Fields& fields) {
  std::string out;
  redis::append_array(out, 2 * fields.size());
  for (const auto& [name, value] : fields) {
    redis::append_bulk(out, name);
    redis::append_bulk(out, value);
  }
  return out;
}

std::string master(const std::string& ip, const std::string& port, const std::string& epoch = "4") {
  return described({{"name", "mymaster"},
                    {"ip", ip},
                    {"port", port},
                    {"runid", "267d56789d4d5c3447761967e3e7b4480381ab32"},
                    {"flags", "master"},
                    {"config-epoch", epoch},
                    {"num-slaves", "2"},
                    {"parallel-syncs", "1"}});
}

std::string replica(const std::string& ip, const std::string& port, const std::string& flags = "slave") {
  return described({{"name", ip + ":" + port},
                    {"ip", ip},
                    {"port", port},
                    {"flags", flags},
                    {"master-host", "10.9.9.9"},
                    {"master-port", "1"},
                    {"slave-repl-offset", "0"}});
}

std::string answer(const std::string& primary, const std::vector<std::string>& replicas) {
  std::string out = primary;
  redis::append_array(out, replicas.size());
  for (const std::string& one : replicas) out += one;
  return out;
}

const std::string kUnknown = "-ERR No such master with that name\r\n";

std::shared_ptr<const SeedQuestion> question() {
  config::Listener listener;
  listener.protocol = config::Protocol::redis;
  listener.redis.mode = config::RedisMode::sentinel;
  listener.redis.sentinel = config::Sentinel{.master_name = "mymaster"};
  return redis::make_sentinel_question(listener, {});
}

std::vector<Place> servers(const std::string& reply) {
  const auto asks = question();
  REQUIRE(asks->probe_reply(reply) == Health::healthy);
  const auto members = asks->members(reply, "");
  REQUIRE(members);
  return members->servers;
}

}  // namespace

TEST_CASE("a Sentinel is asked for the master of that name and for its replicas") {
  CHECK(question()->probe_request() ==
        "*3\r\n$8\r\nSENTINEL\r\n$6\r\nMASTER\r\n$8\r\nmymaster\r\n"
        "*3\r\n$8\r\nSENTINEL\r\n$8\r\nREPLICAS\r\n$8\r\nmymaster\r\n");
  CHECK(question()->new_greeting(LaneKind::ordinary) == nullptr);
}

TEST_CASE("the servers are the master and its replicas, and the epoch is the master's") {
  const std::string reply =
      answer(master("10.0.0.1", "6379"), {replica("10.0.0.2", "6379"), replica("10.0.0.3", "6380")});
  const auto asks = question();
  for (std::size_t n = 0; n < reply.size(); ++n)
    REQUIRE(asks->probe_reply(reply.substr(0, n)) == Health::need_more);
  REQUIRE(asks->probe_reply(reply) == Health::healthy);
  const auto members = asks->members(reply, "");
  REQUIRE(members);
  CHECK(members->epoch == 4);
  CHECK(members->leader == Place{"10.0.0.1", 6379});
  CHECK(members->servers == std::vector<Place>{{"10.0.0.1", 6379}, {"10.0.0.2", 6379}, {"10.0.0.3", 6380}});
  CHECK(servers(answer(master("10.0.0.1", "6379"), {})) == std::vector<Place>{{"10.0.0.1", 6379}});
}

TEST_CASE("host names and IPv6 addresses are places too") {
  CHECK(servers(answer(master("redis-0.redis", "6379"), {replica("fd00::1:2", "6379")})) ==
        std::vector<Place>{{"redis-0.redis", 6379}, {"fd00::1:2", 6379}});
}

TEST_CASE("a replica that the Sentinel does not reach is left out, one that it has not reached yet is not") {
  const std::string reply = answer(master("m", "1"), {replica("gone", "1", "s_down,slave,disconnected"),
                                                      replica("fresh", "1", "slave,disconnected"),
                                                      replica("chosen", "1", "slave,promoted")});
  CHECK(servers(reply) == std::vector<Place>{{"m", 1}, {"fresh", 1}, {"chosen", 1}});
}

TEST_CASE("what is no place to connect to is not connected to") {
  for (const char* host : {"", "/run/redis.sock", "a b", "a\r\nb", "-", "10.0.0.1:6379"}) {
    INFO(host);
    CHECK(servers(answer(master("m", "1"), {replica(host, "6379")})) == std::vector<Place>{{"m", 1}});
    CHECK(question()->probe_reply(answer(master(host, "6379"), {})) == Health::unhealthy);
  }
  for (const char* port : {"", "0", "-1", "65536", "0x1", " 1"}) {
    INFO(port);
    CHECK(servers(answer(master("m", "1"), {replica("r", port)})) == std::vector<Place>{{"m", 1}});
    CHECK(question()->probe_reply(answer(master("m", port), {})) == Health::unhealthy);
  }
  CHECK(question()->probe_reply(answer(master("m", "1", "-1"), {})) == Health::unhealthy);
  CHECK(question()->probe_reply(answer(described({}), {})) == Health::unhealthy);
}

TEST_CASE("a Sentinel that knows no such master answers, without servers") {
  const auto asks = question();
  const std::string reply = kUnknown + kUnknown;
  for (std::size_t n = 0; n < reply.size(); ++n)
    REQUIRE(asks->probe_reply(reply.substr(0, n)) == Health::need_more);
  CHECK(asks->probe_reply(reply) == Health::healthy);
  CHECK_FALSE(asks->members(reply, ""));
}

TEST_CASE("another server is no Sentinel") {
  for (const char* reply :
       {"-ERR unknown command 'SENTINEL', with args beginning with: 'MASTER' 'mymaster' \r\n",
        "-NOAUTH Authentication required.\r\n", "+OK\r\n", "$-1\r\n", "HTTP/1.1 400 Bad Request\r\n"}) {
    INFO(reply);
    CHECK(question()->probe_reply(reply) == Health::unhealthy);
  }
  CHECK(question()->probe_reply("*-1\r\n*-1\r\n") == Health::unhealthy);
  CHECK(question()->probe_reply("*1\r\n$1\r\nx\r\n*0\r\n") == Health::unhealthy);
  CHECK(question()->probe_reply("*2\r\n*0\r\n:1\r\n*1\r\n:1\r\n") == Health::unhealthy);
}

TEST_CASE("an answer tells of no more servers than a listener may have") {
  std::vector<std::string> replicas;
  for (int i = 0; i < 1500; ++i) replicas.push_back(replica("r" + std::to_string(i), "1"));
  CHECK(servers(answer(master("m", "1"), replicas)).size() == 1024);
}

TEST_CASE("clients who waited in vain are told who did not help") {
  CHECK(question()->nobody(true, "s0: cannot connect") == "ERR no Sentinel knows the master mymaster");
  CHECK(question()->nobody(false, "s0:1: cannot connect: Connection refused") ==
        "ERR no Sentinel that could know the master mymaster is reachable: s0:1: cannot connect: Connection "
        "refused");
  CHECK(question()->nobody(false, "") == "ERR no Sentinel that could know the master mymaster is reachable");
}

TEST_CASE("who logs in at the servers logs in at the Sentinels") {
  config::Listener listener;
  listener.redis.sentinel = config::Sentinel{.master_name = "m"};
  const auto account = std::make_shared<const Account>("app", "secret");
  const auto asks = redis::make_sentinel_question(listener, [&] { return account; });
  const auto greeting = asks->new_greeting(LaneKind::ordinary);
  REQUIRE(greeting);
  CHECK(greeting->on_bytes({}).send == "*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$6\r\nsecret\r\n");
}
