// Quantities, selectors, names and hashes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/api/hash.hpp"
#include "operator/api/parse.hpp"
#include "operator/api/quantity.hpp"
#include "operator/api/selector.hpp"
#include "operator/api/shorten.hpp"
#include "operator/api/spelling.hpp"
#include "policies.hpp"

using namespace ambassador::api;

TEST_CASE("quantities are compared by size, however they are written") {
  const auto q = [](const char* text) { return *Quantity::parse(text); };
  CHECK(q("1") == q("1000m"));
  CHECK(q("0.5") == q("500m"));
  CHECK(q("1Ki") == q("1024"));
  CHECK(q("1e3") == q("1k"));
  CHECK(q("128Mi") < q("1Gi"));
  CHECK(q("0.1").milli() == 100);
  CHECK(q("50m").text() == "50m");
}

TEST_CASE("what is no quantity is none") {
  for (const char* text :
       {"", "-1", "lots", "1 Gi", "1KB", ".", "1e99", "1Ei", "1234567890123456789", "1.2.3", "m"}) {
    INFO(text);
    CHECK_FALSE(Quantity::parse(text).has_value());
  }
}

TEST_CASE("a selector's parts must all hold, and an empty one matches everything") {
  const Labels labels = {{"app", "shop"}, {"tier", "web"}};
  CHECK(LabelSelector{}.matches(labels));
  CHECK(LabelSelector{.match_labels = {{"app", "shop"}}, .match_expressions = {}}.matches(labels));
  CHECK_FALSE(
      LabelSelector{.match_labels = {{"app", "shop"}, {"x", "y"}}, .match_expressions = {}}.matches(labels));
  const auto expression = [&](LabelOperator op, const char* key, std::vector<std::string> values) {
    return LabelSelector{.match_labels = {}, .match_expressions = {{key, op, std::move(values)}}}.matches(
        labels);
  };
  CHECK(expression(LabelOperator::in, "tier", {"db", "web"}));
  CHECK_FALSE(expression(LabelOperator::in, "tier", {"db"}));
  CHECK_FALSE(expression(LabelOperator::in, "none", {"db"}));
  CHECK(expression(LabelOperator::not_in, "none", {"db"}));
  CHECK_FALSE(expression(LabelOperator::not_in, "tier", {"web"}));
  CHECK(expression(LabelOperator::exists, "tier", {}));
  CHECK(expression(LabelOperator::does_not_exist, "none", {}));
  CHECK_FALSE(expression(LabelOperator::does_not_exist, "tier", {}));
}

TEST_CASE("the forms of names") {
  CHECK(is_dns_label("a-1"));
  CHECK_FALSE(is_dns_label("-a"));
  CHECK_FALSE(is_dns_label(std::string(64, 'a')));
  CHECK(is_dns_name("redis-st-0.redis-svc"));
  CHECK_FALSE(is_dns_name("a..b"));
  CHECK(is_port_name("redis-port"));
  CHECK_FALSE(is_port_name("6379"));
  CHECK_FALSE(is_port_name("a-name-that-is-too-long"));
  CHECK(is_variable_name("REDIS_URL"));
  CHECK_FALSE(is_variable_name("REDIS-URL"));
}

TEST_CASE("a text is cut between characters") {
  CHECK(shortened("short", 10) == "short");
  CHECK(shortened("0123456789", 8) == "01234...");
  CHECK(shortened("aaaa\xc3\xa4zzzz", 8) == "aaaa...");
}

TEST_CASE("the hash of a policy follows what reaches Pods, and nothing else") {
  const auto hash = [](const nlohmann::json& document) { return parse_policy(document).policy->hash; };
  const auto first = hash(good_policy());
  CHECK(first.size() == 16);

  auto other = good_policy();
  other["metadata"]["generation"] = 9;
  other["metadata"]["labels"] = {{"a", "b"}};
  other["spec"].erase("podSelector");
  other["spec"]["listeners"][0].erase("timeouts");  // they were the defaults
  CHECK(hash(other) == first);

  for (const char* patch :
       {R"([{"op": "replace", "path": "/spec/listeners/0/port", "value": 6381}])",
        R"([{"op": "replace", "path": "/spec/listeners/0/weights/redis-st-0", "value": 3}])",
        R"([{"op": "replace", "path": "/spec/listeners/0/redis/hash", "value": "md5"}])",
        R"([{"op": "replace", "path": "/spec/listeners/0/env/url", "value": "X"}])",
        R"([{"op": "replace", "path": "/spec/listeners/1/upstreams/1/hosts/1/host", "value": "10.0.0.8"}])",
        R"([{"op": "replace", "path": "/spec/proxy/logLevel", "value": "Debug"}])",
        R"([{"op": "remove", "path": "/spec/environments/1/clusterNames/0"}])"}) {
    INFO(patch);
    CHECK(hash(good_policy().patch(nlohmann::json::parse(patch))) != first);
  }
}
