#include "common/config/parse.hpp"

#include <catch2/catch.hpp>

using namespace ambassador::config;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

constexpr const char* kYaml = R"(version: 1
logLevel: Debug
drainTimeout: 1m30s
readiness: Backends
health: {address: 0.0.0.0, port: 19911}
admin: {port: 0}
listeners:
- name: shop.cache
  protocol: Redis
  addresses: [127.0.0.1, "::1"]
  port: 6380
  unixSocket: /run/ambassador/shop/cache.sock
  maxClients: 50
  timeouts: {connect: 250ms, queue: 2s, idle: 0s}
  backends:
  - {host: redis-0, port: 6379}
  - {name: second, host: 10.0.0.2, port: 6379, weight: 3}
  redis: {mode: Sharded, hash: md5, distribution: modula, hashTag: "{}", ejection: {failures: 3, retryAfter: 5s},
    credentialsFolder: /etc/r, clientCredentialsFolder: /etc/r/clients, slowLog: {threshold: 25ms, size: 7},
    hotKeys: {oneIn: 3, size: 8}, bigKeys: {threshold: 2048, size: 9},
    clientCache: {maxMemory: 1048576},
    rateLimit: {requestsPerSecond: 100, burst: 20}, mirror: {listener: shop.next, commands: All}}
  serverTLS: {mode: VerifyFull, caFile: /etc/ca.crt}
- {name: shop.next, protocol: Redis, port: 6390}
)";

/// The text of the errors of a document that has one listener with these fields (flow style, after its name).
std::string errors_of_listener(const std::string& fields) {
  const Parsed parsed = parse_all("version: 1\nlisteners:\n- {name: a, " + fields + "}\n");
  return text_of(parsed.errors);
}

}  // namespace

TEST_CASE("a YAML document is read with every field") {
  const Parsed parsed = parse_all(kYaml);
  REQUIRE(text_of(parsed.errors).empty());
  const Document& d = parsed.document;
  CHECK(d.log_level == LogLevel::debug);
  CHECK(d.drain_timeout == 90s);
  CHECK(d.readiness == Readiness::backends);
  CHECK(d.health_address == "0.0.0.0");
  CHECK(d.health_port == 19911);
  CHECK(d.admin_port == 0);
  REQUIRE(d.listeners.size() == 2);
  const Listener& l = d.listeners[0];
  CHECK(l.name == "shop.cache");
  CHECK(l.protocol == Protocol::redis);
  CHECK(l.addresses == std::vector<std::string>{"127.0.0.1", "::1"});
  CHECK(l.port == 6380);
  CHECK(l.unix_socket == "/run/ambassador/shop/cache.sock");
  CHECK(l.max_clients == 50);
  CHECK(l.timeouts == Timeouts{250ms, 2s, 0ms});
  REQUIRE(l.backends.size() == 2);
  CHECK(l.backends[0] == Backend{"redis-0:6379", "redis-0", 6379, 1});
  CHECK(l.backends[1] == Backend{"second", "10.0.0.2", 6379, 3});
  CHECK(l.redis == Redis{RedisMode::sharded,
                         Hash::md5,
                         Distribution::modula,
                         "{}",
                         Ejection{3, 5s},
                         ReadPreference::primary,
                         10s,
                         "/etc/r",
                         "/etc/r/clients",
                         SlowLog{25ms, 7},
                         HotKeys{3, 8},
                         BigKeys{2048, 9},
                         ClientCache{1 << 20},
                         RateLimit{100, 20},
                         Mirror{"shop.next", MirrorCommands::all},
                         std::nullopt,
                         {}});
  CHECK(l.credentials_folder() == "/etc/r");
  CHECK(l.client_credentials_folder() == "/etc/r/clients");
  CHECK(l.server_tls == ServerTls{TlsMode::verify_full, "/etc/ca.crt", "", ""});
}

TEST_CASE("the same document as JSON is the same") {
  const auto json = parse(R"({"version":1,"logLevel":"Debug","drainTimeout":"90s","readiness":"Backends",
    "health":{"address":"0.0.0.0","port":19911},"admin":{"port":0},
    "listeners":[{"name":"shop.cache","protocol":"Redis","addresses":["127.0.0.1","::1"],"port":6380,
    "unixSocket":"/run/ambassador/shop/cache.sock","maxClients":50,
    "timeouts":{"connect":"250ms","queue":"2s","idle":"0s"},
    "backends":[{"host":"redis-0","port":6379},{"name":"second","host":"10.0.0.2","port":6379,"weight":3}],
    "redis":{"mode":"Sharded","hash":"md5","distribution":"modula","hashTag":"{}",
    "ejection":{"failures":3,"retryAfter":"5s"},"credentialsFolder":"/etc/r",
    "clientCredentialsFolder":"/etc/r/clients","slowLog":{"threshold":"25ms","size":7},
    "hotKeys":{"oneIn":3,"size":8},"bigKeys":{"threshold":2048,"size":9},
    "clientCache":{"maxMemory":1048576},
    "rateLimit":{"requestsPerSecond":100,"burst":20},
    "mirror":{"listener":"shop.next","commands":"All"}},
    "serverTLS":{"mode":"VerifyFull","caFile":"/etc/ca.crt"}},
    {"name":"shop.next","protocol":"Redis","port":6390}]})");
  REQUIRE(json.ok());
  CHECK(*json == *parse(kYaml));
}

TEST_CASE("who answers reads of a primary and its replicas is read as it stands") {
  const auto redis = [](const std::string& fields) {
    const Parsed parsed =
        parse_all("version: 1\nlisteners:\n- {name: a, protocol: Redis, port: 1, redis: {" + fields + "}}\n");
    INFO(text_of(parsed.errors));
    REQUIRE(parsed.ok());
    return parsed.document.listeners[0].redis;
  };
  const Redis nearest = redis("mode: Replicated, readPreference: Nearest, maxLag: 1s500ms");
  CHECK(nearest.mode == RedisMode::replicated);
  CHECK(nearest.read_preference == ReadPreference::nearest);
  CHECK(nearest.max_lag == 1500ms);
  CHECK(redis("mode: Replicated, readPreference: PreferReplica").read_preference ==
        ReadPreference::prefer_replica);
  CHECK(redis("mode: Replicated, readPreference: Replica").read_preference == ReadPreference::replica);
  CHECK(redis("mode: Replicated").read_preference == ReadPreference::primary);
  CHECK(redis("mode: Replicated").max_lag == 10s);
  CHECK(redis("mode: Spread, readPreference: Primary").mode == RedisMode::spread);
}

TEST_CASE("a listener of mode Sentinel names the master, and finds its servers") {
  const auto json = parse(
      R"({"version":1,"listeners":[{"name":"a","protocol":"Redis","port":1,"backends":[{"host":"s-0","port":26379}],
      "redis":{"mode":"Sentinel","sentinel":{"masterName":"my-master_1.eu"},"readPreference":"Nearest","maxLag":"1s"}}]})");
  REQUIRE(json.ok());
  const Listener& listener = json->listeners[0];
  CHECK(listener.redis.mode == RedisMode::sentinel);
  REQUIRE(listener.redis.sentinel);
  CHECK(listener.redis.sentinel->master_name == "my-master_1.eu");
  CHECK(listener.finds_servers());
  CHECK(listener.redis.follows_primary());
  Listener other = listener;
  other.redis.mode = RedisMode::replicated;
  CHECK_FALSE(other.finds_servers());
  CHECK(other.redis.follows_primary());
}

TEST_CASE("a listener of mode Cluster names some nodes, and finds the others") {
  const auto json = parse(
      R"({"version":1,"listeners":[{"name":"a","protocol":"Redis","port":1,"backends":[{"host":"n-0","port":6379}],
      "redis":{"mode":"Cluster","readPreference":"Nearest"}}]})");
  REQUIRE(json.ok());
  const Listener& listener = json->listeners[0];
  CHECK(listener.redis.mode == RedisMode::cluster);
  CHECK(listener.redis.read_preference == ReadPreference::nearest);
  CHECK(listener.finds_servers());
  CHECK(listener.redis.has_replicas());
  CHECK_FALSE(listener.redis.follows_primary());
}

TEST_CASE("a PostgreSQL listener is read with every field") {
  const Parsed parsed = parse_all(R"(version: 1
listeners:
- name: shop.db
  protocol: PostgreSQL
  port: 5432
  backends: [{host: pg-0, port: 5432}]
  sql: {database: shop, credentialsFolder: /etc/c, clientCredentialsFolder: /etc/d, maxServerConnections: 5,
    authentication: Proxy, pooling: Transaction, readWriteSplit: Statements, maxLag: 2s, causalReads: false}
  serverTLS: {mode: VerifyFull, caFile: /etc/ca.crt, certificateFile: /etc/tls.crt, keyFile: /etc/tls.key}
  listenerTLS: {certificateFile: /etc/own.crt, keyFile: /etc/own.key}
- name: shop.db-read
  protocol: PostgreSQL
  port: 5433
  sql: {credentialsFolder: /etc/c, pooling: Transaction, servers: Replicas}
)");
  REQUIRE(text_of(parsed.errors).empty());
  const Listener& l = parsed.document.listeners[0];
  CHECK(l.protocol == Protocol::postgresql);
  CHECK(l.sql == Sql{"shop", "/etc/c", "/etc/d", 5, Authentication::proxy, Pooling::transaction,
                     Servers::primary, ReadWriteSplit::statements, 2s, false});
  CHECK(l.sql.uses_replicas());
  CHECK(l.credentials_folder() == "/etc/c");
  CHECK(l.client_credentials_folder() == "/etc/d");
  const Sql& readers = parsed.document.listeners[1].sql;
  CHECK(readers.servers == Servers::replicas);
  CHECK(readers.read_write_split == ReadWriteSplit::disabled);
  CHECK(readers.max_lag == 10s);
  CHECK(readers.causal_reads);
  CHECK(readers.uses_replicas());
  CHECK(l.server_tls == ServerTls{TlsMode::verify_full, "/etc/ca.crt", "/etc/tls.crt", "/etc/tls.key"});
  CHECK(l.listener_tls == ListenerTls{"/etc/own.crt", "/etc/own.key"});
}

TEST_CASE("what is not given has its default") {
  const auto document = parse("version: 1");
  REQUIRE(document.ok());
  CHECK(*document == Document{});
}

TEST_CASE("a version that is newer is refused before anything else") {
  const Parsed parsed = parse_all(R"({"version": 2, "somethingNew": []})");
  REQUIRE(parsed.errors.size() == 1);
  CHECK(parsed.errors[0].where == "version");
  CHECK_THAT(parsed.errors[0].what,
             Contains("2 is newer than 1") && Contains("use a newer ambassador-proxy"));
  CHECK_THAT(text_of(parse_all("version: 99999999999999999999").errors), Contains("is newer than 1"));
}

TEST_CASE("a version must be there") {
  CHECK_THAT(text_of(parse_all("logLevel: Info").errors), StartsWith("version: missing"));
  CHECK_THAT(text_of(parse_all("version: 0").errors), Contains("version: 0 is out of range; give 1"));
}

TEST_CASE("an unknown field names its path, its line and what is known") {
  const auto text = errors_of_listener("protocol: TCP, port: 1, prot: 2");
  CHECK_THAT(text, StartsWith("listeners[0].prot: unknown field; known here are name, protocol, addresses"));
  CHECK_THAT(text, Contains("(line 3)"));
}

TEST_CASE("wrong values name the path, the value and the way out") {
  const auto [fields, expected] = GENERATE(table<const char*, const char*>({
      {"protocol: Tcp, port: 1",
       "listeners[0].protocol: 'Tcp' is not known; give one of Redis, PostgreSQL, TCP"},
      {"protocol: TCP, port: 65536", "listeners[0].port: 65536 is out of range; give 0 to 65535"},
      {"protocol: TCP, port: -1", "listeners[0].port: -1 is out of range"},
      {"protocol: TCP, port: 1.5", "listeners[0].port: 1.5 is a number with a fraction"},
      {"protocol: TCP, port: '1'", "listeners[0].port: '1' is text; give a whole number, 0 to 65535"},
      {"protocol: TCP, port: 99999999999999999999", "is out of range"},
      {"protocol: TCP, port: ~", "listeners[0].port: null is not a value; leave the field out"},
      {"protocol: TCP", "listeners[0]: listens nowhere; give a port (1 to 65535), a unixSocket, or both"},
      {"protocol: TCP, unixSocket: run/x",
       "listeners[0].unixSocket: 'run/x' can't stand here; give an absolute path"},
      {"port: 1", "listeners[0].protocol: missing"},
      {"protocol: TCP, port: 1, addresses: [localhost]",
       "listeners[0].addresses[0]: 'localhost' can't stand here"},
      {"protocol: TCP, port: 1, addresses: 127.0.0.1",
       "listeners[0].addresses: '127.0.0.1' is text; give a list"},
      {"protocol: TCP, port: 1, timeouts: {queue: 5}",
       "listeners[0].timeouts.queue: 5 is a number; give a duration"},
      {"protocol: TCP, port: 1, timeouts: {queue: 5x}", "'5x' has a unit other than h, m, s and ms"},
      {"protocol: TCP, port: 1, timeouts: {queue: 0s}", "'0s' is out of range; give 1ms to 1h"},
      {"protocol: TCP, port: 1, maxClients: 0",
       "listeners[0].maxClients: 0 is out of range; give 1 to 1000000"},
      {"protocol: TCP, port: 1, backends: [{port: 1}]", "listeners[0].backends[0].host: missing"},
      {"protocol: TCP, port: 1, backends: [{host: a}]",
       "listeners[0].backends[0].port: missing or 0; give the port of a"},
      {"protocol: TCP, port: 1, backends: [{host: 'a b', port: 1}]",
       "'a b' can't stand here; give a DNS name"},
      {"protocol: TCP, port: 1, backends: [{host: '[::1]', port: 1}]", "an IP address without brackets"},
      {"protocol: TCP, port: 1, backends: [{host: /x, port: 1}]", "a Unix socket has no port; leave it out"},
      {"protocol: TCP, port: 1, backends: [{host: a, port: 1, weight: 0}]",
       "weight: 0 is out of range; give 1 to 1000"},
      {"protocol: TCP, port: 1, backends: [{host: a, port: 1}, {host: a, port: 1}]",
       "listeners[0].backends[1]: 'a:1' is the name of backends[0] already; give another name"},
      {"protocol: TCP, port: 1, redis: {mode: Spread}",
       "listeners[0].redis: means nothing with protocol TCP"},
      {"protocol: PostgreSQL, port: 1, redis: {mode: Spread}",
       "listeners[0].redis: means nothing with protocol PostgreSQL"},
      {"protocol: Redis, port: 1, sql: {database: a}", "listeners[0].sql: means nothing with protocol Redis"},
      {"protocol: TCP, port: 1, serverTLS: {mode: Require}",
       "listeners[0].serverTLS: means nothing with protocol TCP"},
      {"protocol: PostgreSQL, port: 1",
       "listeners[0].sql.credentialsFolder: missing; authentication Proxy logs in with what is there"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: c}",
       "listeners[0].sql.credentialsFolder: 'c' can't stand here; give an absolute path"},
      {"protocol: PostgreSQL, port: 1, sql: {authentication: Passthrough, credentialsFolder: /c}",
       "listeners[0].sql.credentialsFolder: means nothing with authentication Passthrough"},
      {"protocol: PostgreSQL, port: 1, sql: {authentication: Passthrough, pooling: Transaction}",
       "listeners[0].sql.pooling: Transaction lends one login to many clients"},
      {"protocol: PostgreSQL, port: 1, sql: {authentication: Passthrough, clientCredentialsFolder: /c}",
       "listeners[0].sql.clientCredentialsFolder: means nothing with authentication Passthrough; leave it "
       "out"},
      {"protocol: TCP, port: 1, listenerTLS: {certificateFile: /c, keyFile: /k}",
       "listeners[0].listenerTLS: means nothing with protocol TCP"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c}, listenerTLS: {certificateFile: /c}",
       "listeners[0].listenerTLS.keyFile: missing; it is required"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, maxServerConnections: 0}",
       "listeners[0].sql.maxServerConnections: 0 is out of range; give 1 to 10000"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, pooling: Statement}",
       "listeners[0].sql.pooling: 'Statement' is not known; give one of Session, Transaction"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, readWriteSplit: Statements}",
       "listeners[0].sql.readWriteSplit: Statements needs authentication Proxy and pooling Transaction; give "
       "both, or readWriteSplit Disabled"},
      {"protocol: PostgreSQL, port: 1, sql: {authentication: Passthrough, readWriteSplit: "
       "ReadOnlyTransactions}",
       "listeners[0].sql.readWriteSplit: ReadOnlyTransactions needs authentication Proxy and pooling "
       "Transaction; give both, or readWriteSplit Disabled"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, servers: Replicas}",
       "listeners[0].sql.servers: Replicas needs authentication Proxy and pooling Transaction; give both, or "
       "servers Primary"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, pooling: Transaction, servers: Replicas, "
       "readWriteSplit: Statements}",
       "listeners[0].sql.readWriteSplit: Statements means nothing with servers Replicas; leave it out"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, pooling: Transaction, maxLag: 1s}",
       "listeners[0].sql.maxLag: means nothing without replicas; leave it out, or give readWriteSplit or "
       "servers Replicas"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, pooling: Transaction, servers: Replicas, "
       "causalReads: true}",
       "listeners[0].sql.causalReads: means nothing with readWriteSplit Disabled; leave it out"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, pooling: Transaction, servers: Replicas, "
       "maxLag: 50ms}",
       "listeners[0].sql.maxLag: '50ms' is out of range; give 100ms to "},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, database: \"a\\nb\"}",
       "give a name without control characters"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c, password: x}",
       "listeners[0].sql.password: unknown field"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c}, serverTLS: {mode: Prefer}",
       "listeners[0].serverTLS.mode: 'Prefer' is not known; give one of Disabled, Require, VerifyCA, "
       "VerifyFull"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c}, serverTLS: {mode: Require, caFile: /ca}",
       "listeners[0].serverTLS.caFile: means nothing with mode Require; leave it out, or give mode "
       "VerifyFull"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c}, serverTLS: {mode: Require, keyFile: /k}",
       "listeners[0].serverTLS.certificateFile: missing; a certificate and its key belong together"},
      {"protocol: PostgreSQL, port: 1, sql: {credentialsFolder: /c}, serverTLS: {certificateFile: /c, "
       "keyFile: "
       "/k}",
       "listeners[0].serverTLS.certificateFile: means nothing with mode Disabled"},
      {"protocol: Redis, port: 1, serverTLS: {caFile: /ca}",
       "listeners[0].serverTLS.caFile: means nothing with mode Disabled"},
      {"protocol: Redis, port: 1, redis: {credentialsFolder: c}",
       "listeners[0].redis.credentialsFolder: 'c' can't stand here"},
      {"protocol: Redis, port: 1, redis: {slowLog: {size: 1025}}", "listeners[0].redis.slowLog.size: 1025"},
      {"protocol: Redis, port: 1, redis: {slowLog: {threshold: fast}}",
       "listeners[0].redis.slowLog.threshold: 'fast'"},
      {"protocol: Redis, port: 1, redis: {hotKeys: {oneIn: 0}}", "listeners[0].redis.hotKeys.oneIn: 0"},
      {"protocol: Redis, port: 1, redis: {hotKeys: {size: 129}}", "listeners[0].redis.hotKeys.size: 129"},
      {"protocol: Redis, port: 1, redis: {bigKeys: {threshold: 1023}}",
       "listeners[0].redis.bigKeys.threshold: 1023"},
      {"protocol: Redis, port: 1, redis: {bigKeys: {size: -1}}", "listeners[0].redis.bigKeys.size: -1"},
      {"protocol: Redis, port: 1, redis: {clientCache: {maxMemory: 1000}}",
       "listeners[0].redis.clientCache.maxMemory: 1000 is out of range; give 1048576 to 1099511627776"},
      {"protocol: Redis, port: 1, redis: {mode: Cluster, clientCache: {}}",
       "listeners[0].redis.clientCache: can't be with mode Cluster, whose keys move from server to server; "
       "leave it "
       "out, or give another mode"},
      {"protocol: Redis, port: 1, redis: {mode: Replicated, readPreference: Nearest, clientCache: {}}",
       "listeners[0].redis.clientCache: can't be with readPreference Nearest, as replicas do not see all at "
       "once; "
       "leave it out, or give another readPreference"},
      {"protocol: Redis, port: 1, redis: {rateLimit: {requestsPerSecond: 0}}",
       "listeners[0].redis.rateLimit.requestsPerSecond: 0 is out of range; give 1 to 1000000"},
      {"protocol: Redis, port: 1, redis: {rateLimit: {burst: 1000001}}",
       "listeners[0].redis.rateLimit.burst: 1000001 is out of range; give 0 to 1000000"},
      {"protocol: Redis, port: 1, redis: {rateLimit: {burst: 5}}",
       "listeners[0].redis.rateLimit.requestsPerSecond: missing; it is required"},
      {"protocol: Redis, port: 1, redis: {mirror: {}}",
       "listeners[0].redis.mirror.listener: missing; it is required"},
      {"protocol: Redis, port: 1, redis: {mirror: {listener: b, commands: Reads}}",
       "listeners[0].redis.mirror.commands: 'Reads' is not known; give one of Writes, All"},
      {"protocol: Redis, port: 1, redis: {clientCredentialsFolder: c}",
       "listeners[0].redis.clientCredentialsFolder: 'c' can't stand here"},
      {"protocol: Redis, port: 1, redis: {mode: Primary}",
       "listeners[0].redis.mode: 'Primary' is not known; give one of Sharded, Failover, Spread, "
       "Replicated, Sentinel, Cluster"},
      {"protocol: Redis, port: 1, redis: {mode: Cluster, readPreference: Replica, maxLag: 1s}",
       "listeners[0].redis.maxLag: means nothing with mode Cluster; leave it out, or give mode Replicated or "
       "Sentinel"},
      {"protocol: Redis, port: 1, redis: {mode: Cluster, slots: []}",
       "listeners[0].redis.slots: unknown field"},
      {"protocol: Redis, port: 1, redis: {mode: Sentinel}",
       "listeners[0].redis.sentinel: missing; mode Sentinel asks for a master by its name: give {masterName: "
       "mymaster}, or another mode"},
      {"protocol: Redis, port: 1, redis: {mode: Sentinel, sentinel: {}}",
       "listeners[0].redis.sentinel.masterName: missing"},
      {"protocol: Redis, port: 1, redis: {mode: Sentinel, sentinel: {masterName: my master}}",
       "listeners[0].redis.sentinel.masterName: 'my master' can't stand here; give letters"},
      {"protocol: Redis, port: 1, redis: {mode: Replicated, sentinel: {masterName: m}}",
       "listeners[0].redis.sentinel: means nothing with mode Replicated; leave it out, or give mode "
       "Sentinel"},
      {"protocol: Redis, port: 1, redis: {mode: Replicated, readPreference: Any}",
       "listeners[0].redis.readPreference: 'Any' is not known; give one of Primary, PreferReplica, Replica, "
       "Nearest"},
      {"protocol: Redis, port: 1, redis: {mode: Failover, readPreference: Nearest}",
       "listeners[0].redis.readPreference: means nothing with mode Failover; leave it out, or give mode "
       "Replicated"},
      {"protocol: Redis, port: 1, redis: {readPreference: Replica}",
       "listeners[0].redis.readPreference: means nothing with mode Sharded"},
      {"protocol: Redis, port: 1, redis: {mode: Spread, maxLag: 1s}",
       "listeners[0].redis.maxLag: means nothing with mode Spread; leave it out, or give mode Replicated"},
      {"protocol: Redis, port: 1, redis: {mode: Replicated, maxLag: 1s}",
       "listeners[0].redis.maxLag: means nothing with readPreference Primary; leave it out, or give another "
       "readPreference"},
      {"protocol: Redis, port: 1, redis: {mode: Replicated, readPreference: Replica, maxLag: 99ms}",
       "listeners[0].redis.maxLag: '99ms' is out of range; give 100ms to "},
      {"protocol: Redis, port: 1, redis: {hashTag: '{'}",
       "hashTag: '{' can't stand here; give two characters"},
      {"protocol: Redis, port: 1, redis: {hashTag: '{}}'}", "longer than 2 bytes"},
      {"protocol: Redis, port: 19900", "listeners[0].port: 19900 is the admin port"},
      {"protocol: Redis, port: 19901", "listeners[0].port: 19901 is the health port"},
      {"protocol: TCP, port: 1, port: 2", "listeners[0].port: given twice; leave one out"},
      {"protocol: TCP, port: 1, addresses: ['::1', '::1']",
       "listeners[0].addresses[1]: '::1' is given twice"},
      {"protocol: TCP, port: 1, timeouts: 5s", "listeners[0].timeouts: '5s' is text; give an object"},
  }));
  CAPTURE(fields);
  CHECK_THAT(errors_of_listener(fields), Contains(expected));
}

TEST_CASE("two listeners share neither name, port nor socket") {
  const auto with = [](const std::string& second) {
    return text_of(parse_all("version: 1\nlisteners:\n"
                             "- {name: a, protocol: TCP, port: 5000, unixSocket: /s}\n- {" +
                             second + "}\n")
                       .errors);
  };
  CHECK_THAT(with("name: a, protocol: TCP, port: 5001"),
             Contains("listeners[1].name: 'a' is taken by listeners[0] (a); give another (line 4)"));
  CHECK_THAT(with("name: b, protocol: TCP, port: 5000"),
             Contains("listeners[1].port: 5000 is taken by listeners[0]"));
  CHECK_THAT(with("name: b, protocol: TCP, unixSocket: /s"),
             Contains("listeners[1].unixSocket: '/s' is taken"));
  CHECK_THAT(with("name: b, protocol: TCP, port: 5000, addresses: [0.0.0.0]"), Contains("5000 is taken"));
  CHECK(with("name: b, protocol: TCP, port: 5000, addresses: [10.0.0.1]").empty());
}

TEST_CASE("a mirror is another Redis listener that takes copies from everybody, and keeps them") {
  const auto with = [](const std::string& second, const std::string& mirror = "b") {
    return text_of(parse_all("version: 1\nlisteners:\n"
                             "- {name: a, protocol: Redis, port: 5000, redis: {mirror: {listener: " +
                             mirror + "}}}\n- {name: b, port: 5001, " + second + "}\n")
                       .errors);
  };
  CHECK(with("protocol: Redis").empty());
  const std::string path = "listeners[0].redis.mirror.listener: ";
  CHECK_THAT(with("protocol: Redis", "c"), Contains(path + "'c' is no listener of this document"));
  CHECK_THAT(with("protocol: Redis", "a"), Contains(path + "'a' is this very listener"));
  CHECK_THAT(with("protocol: TCP"), Contains(path + "'b' has another protocol; give another one, or leave "
                                                    "mirror out (line 3)"));
  CHECK_THAT(with("protocol: Redis, redis: {clientCredentialsFolder: /c}"),
             Contains(path + "'b' asks its clients to log in"));
  CHECK_THAT(with("protocol: Redis, redis: {mirror: {listener: a}}"),
             Contains(path + "'b' has a mirror itself"));
}

TEST_CASE("several errors are told at once, in the order of the text") {
  const Parsed parsed =
      parse_all("version: 1\nlogLevel: Loud\nlisteners:\n- name: a\n  port: x\ndrainTimeout: 5\n");
  REQUIRE(parsed.errors.size() == 4);
  CHECK(parsed.errors[0].where == "logLevel");
  CHECK(parsed.errors[1].where == "listeners[0].protocol");
  CHECK(parsed.errors[2].where == "listeners[0].port");
  CHECK(parsed.errors[3].where == "drainTimeout");
  CHECK_THAT(parsed.errors[3].what, Contains("(line 6)"));
}

TEST_CASE("no more than a screen of errors is collected") {
  std::string text = "version: 1\nlisteners:\n";
  for (int i = 0; i < 60; ++i) text += "- {}\n";
  CHECK(parse_all(text).errors.size() == kMaxErrors);
}

TEST_CASE("lines are right in JSON too") {
  const Parsed parsed = parse_all("{\n \"version\": 1,\n \"shutdown\": 3\n,\n \"logLevel\":\n \"x\"}");
  REQUIRE(parsed.errors.size() == 2);
  CHECK(parsed.errors[0].text() == "shutdown: 3 is a number; give true or false (line 3)");
  CHECK_THAT(parsed.errors[1].text(), Contains("(line 6)"));
}

TEST_CASE("what is not a document at all is said so") {
  const auto [text, expected] = GENERATE(table<const char*, const char*>({
      {"", "the document is empty"},
      {" \n ", "the document is empty"},
      {"[1]", "the document is a list; give an object"},
      {"hello", "the document is text; give an object"},
      {"{\"version\": 1", "not valid JSON: parse error at line 1"},
      {"{\"version\": 1} x", "not valid JSON"},
      {"{\"version\": 1}{}", "not valid JSON"},
      {"version: 1\n  x: [", "not valid YAML"},
      {"version: 1\n---\nversion: 1\n", "a second document; write one only (line 2)"},
      {"version: &a 1\n", "anchors are not read"},
      {"version: !!int 1\n", "tags are not read"},
      {"version: 1\nlisteners: *a\n", "not valid YAML"},
      {"? [a]\n: b\n", "a key must be a word"},
      {"version: 1\ndatabase: \"\xff\"\n", "not UTF-8 (line 2); save it as UTF-8"},
  }));
  CAPTURE(text);
  CHECK_THAT(text_of(parse_all(text).errors), Contains(expected));
}

TEST_CASE("YAML words are typed as YAML 1.2 does") {
  CHECK_THAT(text_of(parse_all("version: 1\nshutdown: yes\n").errors),
             Contains("'yes' is text; give true or false"));
  CHECK(parse("version: 1\nshutdown: True\n")->shutdown);
  CHECK_THAT(text_of(parse_all("version: 01\n").errors), Contains("'01' is text; give a whole number"));
}

TEST_CASE("nesting and size are bounded") {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  CHECK_THAT(text_of(parse_all("{\"version\":1,\"listeners\":" + deep).errors),
             Contains("nested deeper than 16 levels"));
  CHECK_THAT(text_of(parse_all("version: 1\nlisteners: " + deep).errors),
             Contains("nested deeper than 16 levels"));
  CHECK_THAT(text_of(parse_all(std::string(kMaxTextBytes + 1, ' ')).errors), Contains("too many"));
}

TEST_CASE("too many listeners or backends are refused") {
  std::string text = R"({"version":1,"listeners":[)";
  for (std::size_t i = 0; i <= kMaxListeners; ++i) text += std::string(i == 0 ? "" : ",") + "{}";
  CHECK_THAT(text_of(parse_all(text + "]}").errors), Contains("listeners: 65 are too many; give at most 64"));
}

TEST_CASE("a large document of thousands of doubled keys is read in little time") {
  std::string text = "{\"version\":1";
  while (text.size() < kMaxTextBytes - 100) text += ",\"k" + std::to_string(text.size()) + "\":0";
  CHECK(parse_all(text + "}").errors.size() == kMaxErrors);
}
