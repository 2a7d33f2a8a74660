// What a policy says of a Redis primary and its replicas: read, defaulted, refused.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/api/hash.hpp"
#include "operator/api/parse.hpp"
#include "policies.hpp"

using namespace ambassador;
using namespace ambassador::api;
using namespace std::chrono_literals;
using config::ReadPreference;
using config::RedisMode;
using nlohmann::json;

namespace {

Policy read(const char* redis) {
  const auto parsed = parse_policy(redis_policy(json::parse(redis)));
  INFO(redis << "\n" << parsed.message());
  REQUIRE(parsed.policy.has_value());
  return *parsed.policy;
}

config::Redis cache(const char* redis) {
  return read(redis).listeners[0].redis;
}

}  // namespace

TEST_CASE("reads go to the primary unless the policy says so") {
  const config::Redis redis = cache(R"({"mode": "Replicated"})");
  CHECK(redis.mode == RedisMode::replicated);
  CHECK(redis.read_preference == ReadPreference::primary);
  CHECK(redis.max_lag == 10s);
}

TEST_CASE("who answers reads, and how late they may be, is read as it stands") {
  const config::Redis redis =
      cache(R"({"mode": "Replicated", "readPreference": "PreferReplica", "maxLag": "1m30s"})");
  CHECK(redis.read_preference == ReadPreference::prefer_replica);
  CHECK(redis.max_lag == 90s);
  CHECK(cache(R"({"mode": "Replicated", "readPreference": "Replica"})").read_preference ==
        ReadPreference::replica);
  CHECK(cache(R"({"mode": "Replicated", "readPreference": "Nearest"})").read_preference ==
        ReadPreference::nearest);
}

TEST_CASE("mode Sentinel asks for a master by name, and reads as mode Replicated does") {
  const config::Redis redis =
      cache(R"({"mode": "Sentinel", "sentinel": {"masterName": "orders"}, "readPreference": "Replica"})");
  CHECK(redis.mode == RedisMode::sentinel);
  REQUIRE(redis.sentinel);
  CHECK(redis.sentinel->master_name == "orders");
  CHECK(redis.read_preference == ReadPreference::replica);
  const auto hash = [](const char* text) { return read(text).hash; };
  CHECK(hash(R"({"mode": "Sentinel", "sentinel": {"masterName": "a"}})") !=
        hash(R"({"mode": "Sentinel", "sentinel": {"masterName": "b"}})"));
}

TEST_CASE("mode Cluster may read from replicas") {
  const config::Redis redis = cache(R"({"mode": "Cluster", "readPreference": "PreferReplica"})");
  CHECK(redis.mode == RedisMode::cluster);
  CHECK(redis.read_preference == ReadPreference::prefer_replica);
}

TEST_CASE("what the API server adds by default changes nothing, in whatever mode") {
  const auto hash = [](const char* redis) { return read(redis).hash; };
  const char* mode = GENERATE("Sharded", "Failover", "Spread", "Replicated", "Cluster");
  const json bare = {{"mode", mode}};
  json defaulted = bare;
  defaulted.update({{"hash", "fnv1a_64"}, {"distribution", "ketama"}, {"readPreference", "Primary"}});
  CHECK(hash(defaulted.dump().c_str()) == hash(bare.dump().c_str()));
}

TEST_CASE("mode, preference and lag each make another policy") {
  const auto hash = [](const char* redis) { return read(redis).hash; };
  const auto primary = hash(R"({"mode": "Replicated"})");
  const auto replica = hash(R"({"mode": "Replicated", "readPreference": "Replica"})");
  CHECK(primary != hash("{}"));
  CHECK(replica != primary);
  CHECK(hash(R"({"mode": "Replicated", "readPreference": "Nearest"})") != replica);
  CHECK(hash(R"({"mode": "Replicated", "readPreference": "Replica", "maxLag": "10s"})") == replica);
  CHECK(hash(R"({"mode": "Replicated", "readPreference": "Replica", "maxLag": "9s"})") != replica);
}

TEST_CASE("what is wrong about reads from replicas is named with field, value and way out") {
  struct Row {
    const char* redis;
    const char* field;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"mode": "Replicated", "readPreference": "Any"})", "readPreference",
       "\"Any\" is not one of Primary, PreferReplica, Replica, Nearest"},
      {R"({"mode": "Replicated", "readPreference": "Any", "maxLag": "1s"})", "readPreference", "\"Any\""},
      {R"({"mode": "Failover", "readPreference": "Nearest"})", "readPreference",
       "\"Nearest\" needs mode Replicated, Sentinel or Cluster, which alone tell a primary from its "
       "replicas: "
       "give one of these, or use Primary"},
      {R"({"readPreference": "Replica", "maxLag": "1s"})", "readPreference",
       "\"Replica\" needs mode Replicated"},
      {R"({"mode": "Replicated", "maxLag": "1s"})", "maxLag",
       "\"1s\" is of replicas, and nobody reads from them: give another readPreference, or remove it"},
      {R"({"mode": "Replicated", "readPreference": "Primary", "maxLag": "1s"})", "maxLag", "\"1s\""},
      {R"({"mode": "Spread", "maxLag": "1s"})", "maxLag",
       "give mode Replicated or Sentinel and another readPreference, or remove it"},
      {R"({"mode": "Replicated", "readPreference": "Replica", "maxLag": "10ms"})", "maxLag",
       "\"10ms\" is out of range: give 100ms to 168h"},
      {R"({"mode": "Replicated", "readPreference": "Replica", "maxLag": "169h"})", "maxLag", "\"169h\""},
      {R"({"mode": "Replicated", "ejection": {"failures": 3}})", "ejection", "applies to mode Sharded alone"},
      {R"({"mode": "Cluster", "readPreference": "Nearest", "maxLag": "1s"})", "maxLag",
       "give mode Replicated or Sentinel and another readPreference, or remove it"},
      {R"({"mode": "Cluster", "sentinel": {"masterName": "m"}})", "sentinel", "is for mode Sentinel"},
      {R"({"mode": "Cluster", "ejection": {"failures": 3}})", "ejection", "applies to mode Sharded alone"},
      {R"({"mode": "Sentinel"})", "sentinel",
       "is missing, and mode Sentinel asks for a master by its name: give {masterName: mymaster}, or another "
       "mode"},
      {R"({"mode": "Sentinel", "sentinel": {}})", "sentinel.masterName", "give a name such as mymaster"},
      {R"({"mode": "Sentinel", "sentinel": {"masterName": "my master"}})", "sentinel.masterName",
       "\"my master\" is no name that Sentinels know: use letters, digits, '.', '-' and '_'"},
      {R"({"mode": "Sentinel", "sentinel": {"masterName": ""}})", "sentinel.masterName",
       "\"\" is no name that Sentinels know"},
      {R"({"mode": "Sentinel", "sentinel": {"masterName": "m", "quorum": 2}})", "sentinel.quorum", ""},
      {R"({"mode": "Replicated", "sentinel": {"masterName": "m"}})", "sentinel",
       "is for mode Sentinel: give that, or remove it"},
      {R"({"mode": "Sentinel", "sentinel": {"masterName": "m"}, "maxLag": "1s"})", "maxLag",
       "give another readPreference, or remove it"},
      {R"({"mode": "Master", "readPreference": "Nearest", "maxLag": "1s"})", "mode",
       "\"Master\" is not one of Sharded, Failover, Spread, Replicated"},
  }));
  const auto parsed = parse_policy(redis_policy(json::parse(row.redis)));
  INFO(row.redis << "\n" << parsed.message());
  REQUIRE(parsed.problems.size() == 1);
  CHECK(parsed.problems[0].path == "spec.listeners[0].redis." + std::string(row.field));
  CHECK_THAT(parsed.problems[0].what, Catch::Contains(row.says));
}
