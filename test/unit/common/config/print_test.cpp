#include "common/config/print.hpp"

#include <catch2/catch.hpp>

#include "common/config/parse.hpp"

using namespace ambassador::config;
using namespace std::chrono_literals;

namespace {

Document full() {
  Document d;
  d.shutdown = true;
  d.log_level = LogLevel::warning;
  d.drain_timeout = 1500ms;
  d.readiness = Readiness::backends;
  d.health_address = "10.0.0.1";
  d.health_port = 1;
  d.admin_port = 2;
  Listener l;
  l.name = "p.l";
  l.protocol = Protocol::redis;
  l.addresses = {"127.0.0.1"};
  l.port = 6380;
  l.unix_socket = "/run/x.sock";
  l.backends = {{"a:1", "a", 1, 1}, {"named", "b", 2, 5}, {"/s", "/s", 0, 1}};
  l.timeouts = {1ms, 2s, 3min};
  l.max_clients = 7;
  l.redis = {RedisMode::failover,
             Hash::jenkins,
             Distribution::random,
             "[]",
             Ejection{},
             ReadPreference::primary,
             10s,
             "/c",
             "/d",
             SlowLog{20ms, 5},
             HotKeys{1, 4},
             BigKeys{1024, 6},
             ClientCache{2 << 20},
             RateLimit{50, 5},
             Mirror{"p.m"},
             std::nullopt,
             {}};
  Listener mirror;
  mirror.name = "p.m";
  mirror.protocol = Protocol::redis;
  mirror.port = 6390;
  d.listeners = {l, mirror};
  return d;
}

Document replicated() {
  Document d;
  Listener l;
  l.name = "p.pair";
  l.protocol = Protocol::redis;
  l.port = 6380;
  l.redis.mode = RedisMode::replicated;
  l.redis.read_preference = ReadPreference::prefer_replica;
  l.redis.max_lag = 500ms;
  d.listeners = {l};
  return d;
}

Document full_sql() {
  Document d;
  Listener l;
  l.name = "p.db";
  l.protocol = Protocol::postgresql;
  l.port = 5432;
  l.sql = {"caf\xc3\xa9 shop",
           "/c",
           "/d",
           3,
           Authentication::proxy,
           Pooling::transaction,
           Servers::primary,
           ReadWriteSplit::statements,
           1500ms,
           false};
  l.server_tls = {TlsMode::verify_ca, "/ca", "/crt", "/key"};
  l.listener_tls = {"/own.crt", "/own.key"};
  d.listeners = {l, l};
  d.listeners[1].name = "p.through";
  d.listeners[1].port = 5433;
  d.listeners[1].sql = {};
  d.listeners[1].sql.authentication = Authentication::passthrough;
  d.listeners[1].server_tls = {};
  d.listeners[1].listener_tls = {};
  d.listeners.push_back(l);
  d.listeners[2].name = "p.read";
  d.listeners[2].port = 5434;
  d.listeners[2].sql = {};
  d.listeners[2].sql.credentials_folder = "/c";
  d.listeners[2].sql.pooling = Pooling::transaction;
  d.listeners[2].sql.servers = Servers::replicas;
  d.listeners[2].server_tls = {};
  d.listeners[2].listener_tls = {};
  return d;
}

}  // namespace

TEST_CASE("printing is compact, ordered, and leaves defaults out") {
  CHECK(print(Document{}) == R"({"version":1})");
  CHECK(
      print(full()) ==
      R"({"version":1,"shutdown":true,"logLevel":"Warning","drainTimeout":"1s500ms","readiness":"Backends",)"
      R"("health":{"address":"10.0.0.1","port":1},"admin":{"port":2},"listeners":[{"name":"p.l",)"
      R"("protocol":"Redis","addresses":["127.0.0.1"],"port":6380,"unixSocket":"/run/x.sock","backends":[)"
      R"({"host":"a","port":1},{"name":"named","host":"b","port":2,"weight":5},{"host":"/s"}],)"
      R"("timeouts":{"connect":"1ms","queue":"2s","idle":"3m"},"maxClients":7,"redis":{"mode":"Failover",)"
      R"("hash":"jenkins","distribution":"random","hashTag":"[]","credentialsFolder":"/c",)"
      R"("clientCredentialsFolder":"/d","slowLog":{"threshold":"20ms","size":5},"hotKeys":{"oneIn":1,"size":4},)"
      R"("bigKeys":{"threshold":1024,"size":6},)"
      R"("clientCache":{"maxMemory":2097152},"rateLimit":{"requestsPerSecond":50,"burst":5},"mirror":{"listener":"p.m"},"ejection":{}}},)"
      R"({"name":"p.m","protocol":"Redis","port":6390}]})");
}

TEST_CASE("who answers reads is printed beside the mode that asks for it") {
  CHECK(print(replicated()) ==
        R"({"version":1,"listeners":[{"name":"p.pair","protocol":"Redis","port":6380,)"
        R"("redis":{"mode":"Replicated","readPreference":"PreferReplica","maxLag":"500ms"}}]})");
}

TEST_CASE("what Sentinels are asked for is printed beside the mode that asks") {
  Document document = replicated();
  document.listeners[0].redis = {};
  document.listeners[0].redis.mode = RedisMode::sentinel;
  document.listeners[0].redis.sentinel = Sentinel{"mymaster"};
  CHECK(print(document) == R"({"version":1,"listeners":[{"name":"p.pair","protocol":"Redis","port":6380,)"
                           R"("redis":{"mode":"Sentinel","sentinel":{"masterName":"mymaster"}}}]})");
}

TEST_CASE("slots that were found are no part of a document") {
  Document document = replicated();
  document.listeners[0].redis = {};
  document.listeners[0].redis.mode = RedisMode::cluster;
  document.listeners[0].redis.slots = {{0, 16383, 0, {}}};
  CHECK(print(document) == R"({"version":1,"listeners":[{"name":"p.pair","protocol":"Redis","port":6380,)"
                           R"("redis":{"mode":"Cluster"}}]})");
}

TEST_CASE("how a server is logged in at is printed by its files alone") {
  CHECK(print(full_sql()) ==
        R"({"version":1,"listeners":[{"name":"p.db","protocol":"PostgreSQL","port":5432,)"
        R"("sql":{"database":"café shop","credentialsFolder":"/c","clientCredentialsFolder":"/d",)"
        R"("maxServerConnections":3,)"
        R"("pooling":"Transaction","readWriteSplit":"Statements","maxLag":"1s500ms","causalReads":false},)"
        R"("serverTLS":{"mode":"VerifyCA","caFile":"/ca","certificateFile":"/crt",)"
        R"("keyFile":"/key"},"listenerTLS":{"certificateFile":"/own.crt","keyFile":"/own.key"}},)"
        R"({"name":"p.through","protocol":"PostgreSQL","port":5433,)"
        R"("sql":{"authentication":"Passthrough"}},{"name":"p.read","protocol":"PostgreSQL","port":5434,)"
        R"("sql":{"credentialsFolder":"/c","pooling":"Transaction","servers":"Replicas"}}]})");
}

TEST_CASE("what is printed reads back equal") {
  const auto document = GENERATE(Document{}, full(), replicated(), full_sql());
  const auto read = parse(print(document));
  REQUIRE(read.ok());
  CHECK(*read == document);
}

TEST_CASE("equal documents have equal hashes, whatever their text was") {
  const auto a = parse("version: 1\nlogLevel: Info\ndrainTimeout: 25000ms\n");
  const auto b = parse(R"({"version":1})");
  CHECK(content_hash(*a) == content_hash(*b));
  Document c = *b;
  c.shutdown = true;
  CHECK(content_hash(c) != content_hash(*b));
  CHECK(content_hash(c).size() == 64);
}

TEST_CASE("the hash is SHA-256") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("text that is not UTF-8 does not stop printing") {
  Document d = full();
  d.listeners[0].name = "\xff";
  CHECK_NOTHROW(print(d));
}
