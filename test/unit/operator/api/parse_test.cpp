#include "operator/api/parse.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/api/hash.hpp"
#include "policies.hpp"

using namespace ambassador;
using namespace ambassador::api;
using nlohmann::json;

namespace {

/// The good policy with one value changed: a null removes the field.
json changed(const std::string& pointer, const json& value) {
  json document = good_policy();
  const json::json_pointer place(pointer);
  if (value.is_null()) {
    document.at(place.parent_pointer()).erase(place.back());
  } else {
    document[place] = value;
  }
  return document;
}

}  // namespace

TEST_CASE("a good policy is read as it stands") {
  const auto parsed = parse_policy(good_policy());
  INFO(parsed.message());
  REQUIRE(parsed.policy.has_value());
  CHECK(parsed.reason() == "Accepted");
  const Policy& policy = *parsed.policy;
  CHECK(policy.key.text() == "shop/shop-data");
  CHECK(policy.uid == "u-1");
  CHECK(policy.generation == 3);
  CHECK(policy.environments.size() == 3);
  REQUIRE(policy.listeners.size() == 2);
  const Listener& cache = policy.listeners[0];
  CHECK(cache.protocol == config::Protocol::redis);
  CHECK(cache.port == 6380);
  CHECK(cache.unix_socket);
  CHECK(cache.env.url == "REDIS_URL");
  CHECK(cache.timeouts.idle == std::chrono::hours(1));
  CHECK(cache.weights.at("redis-st-0") == 2);
  CHECK(cache.redis.hash_tag == "{}");
  CHECK(std::get<StatefulSetReference>(cache.upstreams[0].target).port == PortReference("redis-port"));
  const auto& hosts = std::get<std::vector<Host>>(policy.listeners[1].upstreams[1].target);
  CHECK(hosts[1] == Host{"10.0.0.9", 5672, "b", 3});
  CHECK(policy.proxy.drain_timeout == std::chrono::seconds(25));
  CHECK(policy.proxy.resources.memory_limit == Quantity::parse("128Mi"));
}

TEST_CASE("defaults are those of the CRD") {
  const auto parsed =
      parse_policy(json::parse(R"({"apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy",
    "metadata": {"name": "a"}, "spec": {"listeners": [{"name": "l", "protocol": "Redis", "port": 6379,
      "upstreams": [{"hosts": [{"host": "redis.example", "port": 6379}]}]}]}})"));
  REQUIRE(parsed.policy.has_value());
  const Listener& listener = parsed.policy->listeners[0];
  CHECK(listener.timeouts == config::Timeouts{});
  CHECK(listener.redis == config::Redis{});
  CHECK(listener.max_clients == 10000);
  CHECK_FALSE(listener.unix_socket);
  CHECK(parsed.policy->repair == Repair::report);
  CHECK(parsed.key.ns == "default");
}

TEST_CASE("what is wrong in a policy is named with field, value and way out") {
  struct Row {
    const char* pointer;
    json value;
    const char* path;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"/kind", "Policy", "kind", "use AmbassadorPolicy"},
      {"/apiVersion", "ambassador.dev/v1", "apiVersion", "use ambassador.dev/v1alpha1"},
      {"/metadata/name", "a.b", "metadata.name", "\"a.b\" cannot name sockets"},
      {"/spec", 3, "spec", "3 is no object"},
      {"/spec/listeners", json::array(), "spec.listeners", "at least one listener"},
      {"/spec/listners", 1, "spec.listners", "correct its spelling"},
      {"/spec/listeners/0/pot", 1, "spec.listeners[0].pot", "correct its spelling"},
      {"/spec/listeners/0/protocol", "Memcached", "spec.listeners[0].protocol",
       "\"Memcached\" is not one of Redis, PostgreSQL, TCP"},
      {"/spec/listeners/0/name", "queue", "spec.listeners[1].name",
       "\"queue\" is also the name of spec.listeners[0]"},
      {"/spec/listeners/0/name", "Cache", "spec.listeners[0].name", "\"Cache\" is no name"},
      {"/spec/listeners/0/port", 5672, "spec.listeners[1].port",
       "5672 is also the port of listener \"cache\""},
      {"/spec/listeners/0/port", 80, "spec.listeners[0].port", "80 is out of range"},
      {"/spec/listeners/0/port", 65536, "spec.listeners[0].port", "65536 is out of range"},
      {"/spec/listeners/0/port", "6380", "spec.listeners[0].port", "give a whole number, 1024 to 65535"},
      {"/spec/listeners/0/port", 19900, "spec.listeners[0].port", "19900 is the ambassador's own"},
      {"/spec/listeners/0/port", 19901, "spec.listeners[0].port", "19901 is the ambassador's own"},
      {"/spec/listeners/0/port", nullptr, "spec.listeners[0].port", "is missing"},
      {"/spec/listeners/0/unixSocket", "On", "spec.listeners[0].unixSocket",
       "\"On\" is not one of Enabled, Disabled"},
      {"/spec/listeners/0/upstreams", json::array(), "spec.listeners[0].upstreams", "at least one upstream"},
      {"/spec/listeners/0/upstreams/0", json::object(), "spec.listeners[0].upstreams[0]",
       "names none of statefulSet"},
      {"/spec/listeners/0/upstreams/0/service",
       {{"name", "x"}, {"port", 1}},
       "spec.listeners[0].upstreams[0]",
       "names several of statefulSet"},
      {"/spec/listeners/0/upstreams/0/environments",
       {"prod"},
       "spec.listeners[0].upstreams[0].environments",
       "\"prod\" is not under spec.environments (production, staging, development)"},
      {"/spec/listeners/0/upstreams/0/statefulSet/port", 0, "spec.listeners[0].upstreams[0].statefulSet.port",
       "0 is out of range"},
      {"/spec/listeners/0/upstreams/0/statefulSet/port", "Redis Port",
       "spec.listeners[0].upstreams[0].statefulSet.port", "is no port name"},
      {"/spec/listeners/0/upstreams/0/statefulSet/name", "a_b",
       "spec.listeners[0].upstreams[0].statefulSet.name", "\"a_b\" is no name"},
      {"/spec/listeners/1/upstreams/1/hosts/0/host", "redis://a",
       "spec.listeners[1].upstreams[1].hosts[0].host", "without scheme"},
      {"/spec/listeners/1/upstreams/1/hosts/0/port", 5672, "spec.listeners[1].upstreams[1].hosts[0].port",
       "on loopback is this very listener"},
      {"/spec/listeners/1/upstreams/1/hosts/1/weight", 0, "spec.listeners[1].upstreams[1].hosts[1].weight",
       "0 is out of range: give a whole number, 1 to 1000"},
      {"/spec/listeners/1/upstreams/1/hosts/1/name", "127.0.0.1:15672",
       "spec.listeners[1].upstreams[1].hosts[1]", "is there already"},
      {"/spec/listeners/0/weights/redis-st-0", 0, "spec.listeners[0].weights.redis-st-0",
       "0 is out of range"},
      {"/spec/listeners/0/timeouts/connect", "5", "spec.listeners[0].timeouts.connect",
       "\"5\" is no duration"},
      {"/spec/listeners/0/timeouts/queue", "5 s", "spec.listeners[0].timeouts.queue",
       "as in 5s, 500ms or 1m30s"},
      {"/spec/listeners/0/timeouts/connect", "1h", "spec.listeners[0].timeouts.connect", "give 10ms to 5m"},
      {"/spec/listeners/0/redis/hash", "sha1", "spec.listeners[0].redis.hash",
       "\"sha1\" is not one of one_at_a_time"},
      {"/spec/listeners/0/redis/mode", "Quorum", "spec.listeners[0].redis.mode", "is not one of Sharded"},
      {"/spec/listeners/0/redis/hashTag", "{", "spec.listeners[0].redis.hashTag",
       "two characters such as {}"},
      {"/spec/listeners/1/redis", json::object(), "spec.listeners[1].redis", "is for protocol Redis"},
      {"/spec/listeners/1/database", "shop", "spec.listeners[1].database", "for PostgreSQL and MySQL"},
      {"/spec/listeners/0/env/url", "1X", "spec.listeners[0].env.url", "\"1X\" is no name for a variable"},
      {"/spec/listeners/0/env/host", "REDIS_URL", "spec.listeners[0].env.host", "is named twice"},
      {"/spec/listeners/0/env/jdbcUrl", "J", "spec.listeners[0].env.jdbcUrl", "use url here"},
      {"/spec/listeners/1/env",
       {{"url", "REDIS_URL"}},
       "spec.listeners[1].env",
       "also set by listener \"cache\""},
      {"/spec/environments/1/name", "production", "spec.environments[1].name",
       "the name of two environments"},
      {"/spec/podSelector/matchExpressions",
       {{{"key", "a"}, {"operator", "In"}}},
       "spec.podSelector.matchExpressions[0].values",
       "at least one value"},
      {"/spec/namespaceSelector", json::object(), "spec.namespaceSelector", "is no field here"},
      {"/spec/proxy/resources/requests/cpu", "lots", "spec.proxy.resources.requests.cpu",
       "\"lots\" is no quantity"},
      {"/spec/proxy/resources/requests/memory", "1Gi", "spec.proxy.resources.requests.memory",
       "is more than the limit 128Mi"},
      {"/spec/proxy/logLevel", "Trace", "spec.proxy.logLevel", "is not one of Debug, Info, Warning, Error"},
      {"/spec/repair", "Off", "spec.repair", "is not one of Disabled, Report"},
  }));
  const auto parsed = parse_policy(changed(row.pointer, row.value));
  INFO(row.pointer << " = " << row.value << "\n" << parsed.message());
  REQUIRE(parsed.problems.size() == 1);
  CHECK_FALSE(parsed.policy.has_value());
  CHECK(parsed.reason() == "Invalid");
  CHECK(parsed.problems[0].path == row.path);
  CHECK_THAT(parsed.problems[0].what, Catch::Contains(row.says));
}

TEST_CASE("what is not built yet is refused as not in this version, never ignored") {
  struct Row {
    const char* pointer;
    json value;
    const char* path;
  };
  const json secret = {{"secretRef", {{"name", "s"}}}};
  const auto row = GENERATE_COPY(values<Row>({
      {"/spec/listeners/1/protocol", "MySQL", "spec.listeners[1].protocol"},
      {"/spec/listeners/1/listenerTLS", secret, "spec.listeners[1].listenerTLS"},
      {"/spec/listeners/1/credentials", secret, "spec.listeners[1].credentials"},
      {"/spec/listeners/1/clientAuth",
       {{"mode", "Password"}, {"secretRef", {{"name", "s"}}}},
       "spec.listeners[1].clientAuth.mode"},
      {"/spec/listeners/1/tls", {{"mode", "VerifyFull"}}, "spec.listeners[1].tls.mode"},
      {"/spec/listeners/0/pool",
       {{"maxServerConnections", 5}},
       "spec.listeners[0].pool.maxServerConnections"},
      {"/spec/listeners/1/upstreams/1/hosts/0/role", "Primary",
       "spec.listeners[1].upstreams[1].hosts[0].role"},
      {"/spec/rollout", "Restart", "spec.rollout"},
      {"/spec/repair", "Recreate", "spec.repair"},
  }));
  const auto parsed = parse_policy(changed(row.pointer, row.value));
  INFO(row.pointer << " = " << row.value << "\n" << parsed.message());
  REQUIRE(parsed.problems.size() == 1);
  CHECK(parsed.reason() == "NotInThisVersion");
  CHECK(parsed.problems[0].path == row.path);
  CHECK_THAT(parsed.problems[0].what, Catch::Contains("not in this version"));
}

TEST_CASE("values that mean without pass, though the rest of their field is not in this version") {
  json document = changed("/spec/listeners/1/clientAuth", {{"mode", "None"}});
  document["spec"]["listeners"][0]["tls"] = {{"mode", "Disabled"}};
  document["spec"]["listeners"][0]["pool"] = {{"maxClients", 7}};
  const auto parsed = parse_policy(document);
  INFO(parsed.message());
  REQUIRE(parsed.policy.has_value());
  CHECK(parsed.policy->listeners[0].max_clients == 7);
}

TEST_CASE("which commands are slow the policy says, or a default does") {
  json document = good_policy();
  const auto slow_log = [&] { return parse_policy(document).policy->listeners[0].redis.slow_log; };
  CHECK(slow_log() == config::SlowLog{});
  const std::string hash = policy_hash(*parse_policy(document).policy);
  json& given = document["spec"]["listeners"][0]["redis"]["slowLog"];
  given = {{"threshold", "10ms"}, {"size", 128}};
  CHECK(policy_hash(*parse_policy(document).policy) == hash);
  given = {{"threshold", "0s"}, {"size", 0}};
  CHECK(slow_log() == config::SlowLog{std::chrono::milliseconds(0), 0});
  CHECK(policy_hash(*parse_policy(document).policy) != hash);
  given = {{"size", 1025}};
  CHECK(parse_policy(document).problems[0].path == "spec.listeners[0].redis.slowLog.size");
  given = {{"threshold", "2h"}};
  CHECK(parse_policy(document).problems[0].path == "spec.listeners[0].redis.slowLog.threshold");
}

TEST_CASE("how hot and big keys are found the policy says, or a default does") {
  json document = good_policy();
  const auto redis = [&] { return parse_policy(document).policy->listeners[0].redis; };
  CHECK(redis().hot_keys == config::HotKeys{});
  CHECK(redis().big_keys == config::BigKeys{});
  const std::string hash = policy_hash(*parse_policy(document).policy);
  json& given = document["spec"]["listeners"][0]["redis"];
  given["hotKeys"] = {{"oneIn", 64}, {"size", 32}};
  given["bigKeys"] = {{"threshold", 16384}, {"size", 32}};
  CHECK(policy_hash(*parse_policy(document).policy) == hash);
  given["hotKeys"] = {{"oneIn", 1}, {"size", 0}};
  CHECK(redis().hot_keys == config::HotKeys{1, 0});
  const std::string other = policy_hash(*parse_policy(document).policy);
  CHECK(other != hash);
  given["bigKeys"] = {{"threshold", 1024}};
  CHECK(redis().big_keys == config::BigKeys{1024, 32});
  CHECK(policy_hash(*parse_policy(document).policy) != other);
  given["bigKeys"] = {{"threshold", 1000}};
  CHECK(parse_policy(document).problems[0].path == "spec.listeners[0].redis.bigKeys.threshold");
  given["bigKeys"] = json::object();
  given["hotKeys"] = {{"oneIn", 0}};
  CHECK(parse_policy(document).problems[0].path == "spec.listeners[0].redis.hotKeys.oneIn");
}

TEST_CASE("replies are kept where the policy says so, and where one server has the last word") {
  json document = good_policy();
  const auto cache = [&] { return parse_policy(document).policy->listeners[0].redis.client_cache; };
  CHECK_FALSE(cache());
  const std::string without = policy_hash(*parse_policy(document).policy);
  json& redis = document["spec"]["listeners"][0]["redis"];
  redis["clientCache"] = json::object();
  CHECK(cache() == config::ClientCache{.max_memory = 16777216});
  const std::string usual = policy_hash(*parse_policy(document).policy);
  CHECK(usual != without);
  redis["clientCache"] = {{"maxMemory", "64Mi"}};
  CHECK(cache() == config::ClientCache{.max_memory = 67108864});
  CHECK(policy_hash(*parse_policy(document).policy) != usual);
  redis["clientCache"] = {{"maxMemory", "1Mi"}};
  CHECK(cache() == config::ClientCache{.max_memory = 1048576});

  const auto only_problem = [&] {
    const auto parsed = parse_policy(document);
    INFO(parsed.message());
    REQUIRE(parsed.problems.size() == 1);
    return parsed.problems[0].path + " " + parsed.problems[0].what;
  };
  for (const char* size : {"1023Ki", "2Ti", "100m"}) {
    redis["clientCache"] = {{"maxMemory", size}};
    CHECK(only_problem() == "spec.listeners[0].redis.clientCache.maxMemory \"" + std::string(size) +
                                "\" is out of range: give 1Mi to 1Ti");
  }
  redis["clientCache"] = {{"maxMemory", "much"}};
  CHECK_THAT(only_problem(), Catch::Contains("clientCache.maxMemory \"much\" is no quantity"));
  redis["clientCache"] = json::object();
  redis["mode"] = "Cluster";
  CHECK_THAT(only_problem(), Catch::Contains("redis.clientCache can't be with mode Cluster"));
  redis["mode"] = "Replicated";
  redis["readPreference"] = "Nearest";
  CHECK_THAT(only_problem(),
             Catch::Contains("redis.clientCache can't be with a readPreference other than Primary"));
  redis["readPreference"] = "Primary";
  CHECK(cache());
}

TEST_CASE("how often a client may ask the policy says, or it may as it likes") {
  json document = good_policy();
  const auto limit = [&] { return parse_policy(document).policy->listeners[0].redis.rate_limit; };
  CHECK_FALSE(limit());
  const std::string hash = policy_hash(*parse_policy(document).policy);
  json& given = document["spec"]["listeners"][0]["redis"]["rateLimit"];
  given = {{"requestsPerSecond", 100}};
  CHECK(limit() == config::RateLimit{100, 0});
  const std::string limited_hash = policy_hash(*parse_policy(document).policy);
  CHECK(limited_hash != hash);
  given = {{"requestsPerSecond", 100}, {"burst", 7}};
  CHECK(limit() == config::RateLimit{100, 7});
  CHECK(policy_hash(*parse_policy(document).policy) != limited_hash);
  const auto problem = [&](json value) {
    given = std::move(value);
    const auto parsed = parse_policy(document);
    REQUIRE(parsed.problems.size() == 1);
    return parsed.problems[0].path + " " + parsed.problems[0].what;
  };
  const std::string path = "spec.listeners[0].redis.rateLimit.";
  CHECK(problem({{"burst", 7}}) == path + "requestsPerSecond is missing: give 1 to 1000000");
  CHECK_THAT(problem({{"requestsPerSecond", 0}}), Catch::StartsWith(path + "requestsPerSecond 0"));
  CHECK_THAT(problem({{"requestsPerSecond", 1'000'001}}), Catch::StartsWith(path + "requestsPerSecond"));
  CHECK_THAT(problem({{"requestsPerSecond", 1}, {"burst", 0}}), Catch::StartsWith(path + "burst 0"));
}

TEST_CASE("a mirror is another Redis listener of the policy") {
  json document = good_policy();
  json& listeners = document["spec"]["listeners"];
  listeners.push_back({{"name", "next"},
                       {"protocol", "Redis"},
                       {"port", 6390},
                       {"upstreams", {{{"hosts", {{{"host", "next"}, {"port", 6379}}}}}}}});
  const std::string hash = policy_hash(*parse_policy(document).policy);
  json& mirror = listeners[0]["redis"]["mirror"];
  mirror = {{"listener", "next"}};
  const auto parsed = parse_policy(document);
  INFO(parsed.message());
  REQUIRE(parsed.policy);
  CHECK(parsed.policy->listeners[0].redis.mirror == config::Mirror{"next", config::MirrorCommands::writes});
  CHECK(policy_hash(*parsed.policy) != hash);
  mirror["commands"] = "All";
  CHECK(parse_policy(document).policy->listeners[0].redis.mirror ==
        config::Mirror{"next", config::MirrorCommands::all});
  CHECK(policy_hash(*parse_policy(document).policy) != policy_hash(*parsed.policy));

  const auto problem = [&] {
    const auto refused = parse_policy(document);
    REQUIRE(refused.problems.size() == 1);
    return refused.problems[0].path + ": " + refused.problems[0].what;
  };
  const std::string path = "spec.listeners[0].redis.mirror.";
  mirror["commands"] = "Reads";
  CHECK(problem() == path + "commands: \"Reads\" is not one of Writes, All");
  mirror = {{"commands", "All"}};
  CHECK(problem() == path + "listener: is missing: give the name of another Redis listener of this policy");
  mirror = {{"listener", "nowhere"}};
  CHECK(problem() == path + "listener: \"nowhere\" is no listener of this policy: name one");
  mirror = {{"listener", "cache"}};
  CHECK(problem() == path + "listener: \"cache\" is this very listener: name another one");
  mirror = {{"listener", "queue"}};
  CHECK(problem() == path + "listener: \"queue\" is no Redis listener: name one that is");
  mirror = {{"listener", "next"}};
  listeners[2]["clientAuth"] = {{"mode", "Password"}, {"secretRef", {{"name", "s"}}}};
  CHECK_THAT(problem(), Catch::StartsWith(path + "listener: \"next\" asks its clients to log in"));
  listeners[2].erase("clientAuth");
  listeners[2]["redis"]["mirror"] = {{"listener", "cache"}};
  const auto both = parse_policy(document);
  REQUIRE(both.problems.size() == 2);
  CHECK_THAT(both.problems[0].what, Catch::Contains("has a mirror itself"));
}

TEST_CASE("clients of a Redis listener may have to log in") {
  json document = good_policy();
  const std::string open_hash = policy_hash(*parse_policy(document).policy);
  json& cache = document["spec"]["listeners"][0];
  cache["clientAuth"] = {{"mode", "None"}};
  CHECK(policy_hash(*parse_policy(document).policy) == open_hash);
  cache["clientAuth"] = {{"mode", "Password"}, {"secretRef", {{"name", "cache-clients"}}}};
  const auto parsed = parse_policy(document);
  INFO(parsed.message());
  REQUIRE(parsed.policy.has_value());
  CHECK(parsed.policy->listeners[0].client_credentials == "cache-clients");
  CHECK(policy_hash(*parsed.policy) != open_hash);
  cache["clientAuth"] = {{"mode", "Password"}};
  CHECK(parse_policy(document).problems[0].path == "spec.listeners[0].clientAuth.secretRef");
}

TEST_CASE("a Redis listener may log in at its servers, over TLS") {
  json document = good_policy();
  json& cache = document["spec"]["listeners"][0];
  CHECK(parse_policy(document).policy->listeners[0].credentials.empty());
  const std::string open_hash = policy_hash(*parse_policy(document).policy);
  cache["credentials"] = {{"secretRef", {{"name", "cache-login"}}}};
  cache["tls"] = {{"ca", {{"secretRef", {{"name", "company"}, {"key", "root.pem"}}}}}};
  const auto parsed = parse_policy(document);
  INFO(parsed.message());
  REQUIRE(parsed.policy.has_value());
  CHECK(parsed.policy->listeners[0].credentials == "cache-login");
  CHECK(parsed.policy->listeners[0].tls ==
        ServerTls{config::TlsMode::verify_full, SecretKey{"company", "root.pem"}});
  CHECK(policy_hash(*parsed.policy) != open_hash);
  cache["tls"]["mode"] = "Require";
  CHECK(parse_policy(document).problems[0].path == "spec.listeners[0].tls.ca");
  cache.erase("tls");
  cache["credentials"] = {{"secretRef", {{"name", "cache-login"}, {"namespace", "other"}}}};
  CHECK(parse_policy(document).problems[0].path == "spec.listeners[0].credentials.secretRef.namespace");
}

TEST_CASE("a MySQL listener is one problem, not one for each of its fields") {
  json document = good_policy();
  document["spec"]["listeners"][1] = json::parse(R"({"name": "db", "protocol": "MySQL", "port": 3306,
    "env": {"url": "DATABASE_URL", "jdbcUrl": "JDBC_URL"}, "upstreams": [{"service": {"name": "db", "port": 3306}}],
    "credentials": {"secretRef": {"name": "s"}}, "tls": {"mode": "VerifyFull"}, "database": "shop",
    "pool": {"maxServerConnections": 10}, "mysql": {"authentication": "Proxy"}})");
  const auto parsed = parse_policy(document);
  REQUIRE(parsed.problems.size() == 1);
  CHECK(parsed.message() ==
        "spec.listeners[1].protocol: \"MySQL\" is not in this version: use TCP, which relays it as it is");
  CHECK(parsed.pod_selector.has_value());
}

TEST_CASE("a ClusterAmbassadorPolicy has a namespaceSelector and names namespaces") {
  json document = good_policy();
  document["kind"] = "ClusterAmbassadorPolicy";
  document["metadata"].erase("namespace");
  document["spec"]["namespaceSelector"] = {{"matchLabels", {{"team", "shop"}}}};
  auto parsed = parse_policy(document);
  REQUIRE(parsed.problems.size() == 1);
  CHECK(parsed.problems[0].path == "spec.listeners[0].upstreams[0].statefulSet.namespace");
  document["spec"]["listeners"][0]["upstreams"][0]["statefulSet"]["namespace"] = "data";
  parsed = parse_policy(document);
  REQUIRE(parsed.policy.has_value());
  CHECK(parsed.key.cluster());
  CHECK(parsed.key.reference() == "cluster/shop-data");
  CHECK(parsed.policy->key.config_name() == "cluster.shop-data");
  CHECK(parsed.policy->namespace_selector->matches({{"team", "shop"}}));
}

TEST_CASE("a socket path longer than the kernel takes is refused") {
  json document = good_policy();
  document["metadata"]["name"] = std::string(60, 'p');
  document["spec"]["listeners"][0]["name"] = std::string(40, 'l');
  const auto parsed = parse_policy(document);
  REQUIRE(parsed.problems.size() == 1);
  CHECK_THAT(parsed.message(), Catch::Contains("longer than the 107 bytes"));
}

TEST_CASE("problems are bounded in number and their message in length") {
  json document = good_policy();
  for (int i = 0; i < 100; ++i) document["spec"]["no-field-" + std::to_string(i)] = 1;
  const auto parsed = parse_policy(document);
  CHECK(parsed.problems.size() == kMaxProblems);
  CHECK(parsed.message().size() <= 1024);
}

TEST_CASE("anything but an object is a problem, not a crash") {
  for (const auto* text : {"null", "3", "[]", "{}", "{\"metadata\": 1, \"spec\": []}"}) {
    CHECK_FALSE(parse_policy(json::parse(text)).problems.empty());
  }
}
