// Schema and parser say the same: every document that is tried is judged by both. The judge of schemas below
// knows the keywords that ours uses, and fails on any other.
#include "common/config/schema.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "common/config/parse.hpp"

using Json = nlohmann::ordered_json;
using namespace ambassador::config;

namespace {

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  FAIL("unknown type " + type);
  return false;
}

/// Patterns are few, and slow to compile.
const std::regex& compiled(const std::string& pattern) {
  static std::map<std::string, std::regex> all;
  return all.try_emplace(pattern, pattern).first->second;
}

bool valid(const Json& schema, const Json& value) {
  static const std::set<std::string> known{
      "$schema",  "title",      "type",      "description", "additionalProperties",
      "required", "properties", "minimum",   "maximum",     "default",
      "enum",     "pattern",    "maxLength", "maxItems",    "items"};
  for (const auto& [keyword, unused] : schema.items()) {
    if (!known.contains(keyword)) FAIL("a keyword that is not known here: " + keyword);
  }
  if (!has_type(value, schema.at("type"))) return false;
  if (schema.contains("enum")) {
    const Json& words = schema["enum"];
    if (std::find(words.begin(), words.end(), value) == words.end()) return false;
  }
  if (schema.contains("minimum") && value < schema["minimum"]) return false;
  if (schema.contains("maximum") && value > schema["maximum"]) return false;
  if (schema.contains("maxLength") && value.get<std::string>().size() > schema["maxLength"]) return false;
  if (schema.contains("pattern") &&
      !std::regex_search(value.get<std::string>(), compiled(schema["pattern"].get<std::string>()))) {
    return false;
  }
  if (value.is_array()) {
    if (value.size() > schema.at("maxItems")) return false;
    for (const Json& item : value) {
      if (!valid(schema.at("items"), item)) return false;
    }
  }
  if (value.is_object()) {
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key.get<std::string>())) return false;
    }
    for (const auto& [key, field] : value.items()) {
      if (!schema.at("properties").contains(key)) return false;
      if (!valid(schema["properties"][key], field)) return false;
    }
  }
  return true;
}

/// A document that has every field of Redis.
Json full_redis() {
  return Json::parse(
      R"({"version":1,"shutdown":false,"logLevel":"Info","drainTimeout":"25s","readiness":"Listeners",
    "health":{"address":"::","port":19901},"admin":{"port":19900},
    "listeners":[{"name":"a.b","protocol":"Redis","addresses":["127.0.0.1"],"port":6380,"unixSocket":"/s",
    "backends":[{"name":"n","host":"h","port":6379,"weight":1}],"timeouts":{"connect":"1s","queue":"5s","idle":"1h"},
    "maxClients":10,"redis":{"mode":"Sentinel","sentinel":{"masterName":"m"},"hash":"md5","distribution":"ketama","hashTag":"{}",
    "readPreference":"PreferReplica","maxLag":"3s","credentialsFolder":"/c","clientCredentialsFolder":"/d",
    "slowLog":{"threshold":"10ms","size":128},"hotKeys":{"oneIn":64,"size":32},
    "bigKeys":{"threshold":16384,"size":32},"rateLimit":{"requestsPerSecond":100,"burst":20},"mirror":{"listener":"a.m","commands":"All"},
    "ejection":{"failures":2,"retryAfter":"30s"}}},{"name":"a.m","protocol":"Redis","port":6390}]})");
}

/// What can't be beside other fields of Redis.
Json keeping_redis() {
  Json document = full_redis();
  Json& redis = document["listeners"][0]["redis"];
  redis.erase("maxLag");
  redis["readPreference"] = "Primary";
  redis["clientCache"] = {{"maxMemory", 1 << 20}};
  return document;
}

/// And the rest of the fields.
Json full_sql() {
  Json document = full_redis();
  Json& listener = document["listeners"][0];
  listener["protocol"] = "PostgreSQL";
  listener.erase("redis");
  listener["sql"] = Json::parse(
      R"({"database":"shop","credentialsFolder":"/c","clientCredentialsFolder":"/d","maxServerConnections":5,"authentication":"Proxy",
    "pooling":"Transaction","servers":"Primary","readWriteSplit":"Statements","maxLag":"3s","causalReads":true})");
  listener["serverTLS"] =
      Json::parse(R"({"mode":"VerifyFull","caFile":"/ca","certificateFile":"/crt","keyFile":"/key"})");
  listener["listenerTLS"] = Json::parse(R"({"certificateFile":"/own.crt","keyFile":"/own.key"})");
  return document;
}

/// All places of `schema` that describe a value, as JSON pointers into a document like full_redis().
void collect(const Json& schema, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  out.push_back(at);
  if (schema.contains("properties")) {
    for (const auto& [key, field] : schema["properties"].items()) collect(field, at / key, out);
  }
  if (schema.contains("items")) collect(schema["items"], at / 0, out);
}

}  // namespace

TEST_CASE("the full documents have every field of the schema, and both judges take them") {
  std::vector<Json::json_pointer> places;
  collect(schema(), Json::json_pointer(), places);
  CHECK(places.size() >= 60);
  for (const auto& place : places) {
    CAPTURE(place.to_string());
    CHECK((full_redis().contains(place) || keeping_redis().contains(place) || full_sql().contains(place)));
  }
  for (const Json& document : {full_redis(), keeping_redis(), full_sql()}) {
    CHECK(valid(schema(), document));
    CHECK(parse(document.dump()).ok());
  }
}

TEST_CASE("whatever stands in a field's place, schema and parser judge alike") {
  std::vector<Json::json_pointer> places;
  const Json root = schema();
  const Json redis = full_redis();
  const Json keeping = keeping_redis();
  const Json sql = full_sql();
  collect(root, Json::json_pointer(), places);
  const std::vector<Json> values = {nullptr,
                                    true,
                                    false,
                                    0,
                                    1,
                                    2,
                                    -1,
                                    65535,
                                    65536,
                                    1000,
                                    1001,
                                    1000001,
                                    1.5,
                                    "",
                                    "0",
                                    "0s",
                                    "1ms",
                                    "5s",
                                    "5",
                                    "x y",
                                    "a..b",
                                    "-a",
                                    "_a",
                                    "a.",
                                    "/",
                                    "/p",
                                    "p",
                                    "::1",
                                    "::",
                                    "{}",
                                    "{",
                                    "Redis",
                                    "PostgreSQL",
                                    "Proxy",
                                    "Passthrough",
                                    "Session",
                                    "VerifyCA",
                                    "Disabled",
                                    "redis",
                                    "Info",
                                    "md5",
                                    "ketama",
                                    "Listeners",
                                    "Failover",
                                    "Nearest",
                                    Json::array(),
                                    Json::object(),
                                    Json::array({1}),
                                    Json::array({"127.0.0.1"}),
                                    Json{{"unknown", 1}},
                                    std::string(600, 'a'),
                                    "1.5h",
                                    "1h30m",
                                    "5d",
                                    "a\nb",
                                    "\xc3\xa4"};
  int judged = 0;
  for (const auto& place : places) {
    for (const Json& value : values) {
      Json document = redis.contains(place) ? redis : keeping.contains(place) ? keeping : sql;
      document[place] = value;
      if (place.to_string().find("unixSocket") != std::string::npos) document["listeners"][0]["port"] = 6380;
      CAPTURE(place.to_string(), value.dump());
      const Parsed parsed = parse_all(document.dump());
      const bool schema_takes = valid(root, document);
      if (parsed.ok() != schema_takes) {
        // What only the parser can see: bounds of durations and real addresses behind a looser pattern, and
        // what fields owe each other. Never may the parser take what the schema refuses.
        CAPTURE(text_of(parsed.errors));
        CHECK_FALSE(parsed.ok());
        const bool known =
            text_of(parsed.errors).find("out of range; give 0s to") != std::string::npos ||
            text_of(parsed.errors).find("out of range; give 1ms to") != std::string::npos ||
            text_of(parsed.errors).find("out of range; give 100ms to") != std::string::npos ||
            text_of(parsed.errors).find("needs authentication Proxy and") != std::string::npos ||
            text_of(parsed.errors).find("give the port of") != std::string::npos ||
            text_of(parsed.errors).find("means nothing with") != std::string::npos ||
            text_of(parsed.errors).find("logs in with what is there") != std::string::npos ||
            text_of(parsed.errors).find("is no listener of this document") != std::string::npos ||
            text_of(parsed.errors).find("lends one login to many") != std::string::npos ||
            text_of(parsed.errors).find("belong together") != std::string::npos ||
            text_of(parsed.errors).find("a Unix socket has no port") != std::string::npos;
        CHECK(known);
      }
      ++judged;
    }
  }
  CHECK(judged > 1500);
}

TEST_CASE("leaving a required field out is refused by both") {
  for (const char* place :
       {"/version", "/listeners/0/name", "/listeners/0/protocol", "/listeners/0/backends/0/host"}) {
    CAPTURE(place);
    const Json document = full_redis().patch(Json::array({{{"op", "remove"}, {"path", place}}}));
    CHECK_FALSE(valid(schema(), document));
    CHECK_FALSE(parse(document.dump()).ok());
  }
}

TEST_CASE("every field says what it means") {
  const Json root = schema();
  CHECK(root["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK_FALSE(root["properties"]["listeners"]["items"]["properties"]["unixSocket"]["description"].empty());
  CHECK(root["properties"]["drainTimeout"]["default"] == "25s");
}
