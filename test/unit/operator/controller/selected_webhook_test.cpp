#include "operator/controller/selected_webhook.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/api/parse.hpp"

using namespace ambassador;
using nlohmann::json;

namespace {
api::Policy policy(const json& metadata, const json& more) {
  json spec = {{"listeners",
                {{{"name", "cache"},
                  {"protocol", "Redis"},
                  {"port", 6380},
                  {"upstreams", {{{"hosts", {{{"host", "10.0.0.1"}, {"port", 6379}}}}}}}}}}};
  spec.update(more);
  const bool cluster = !metadata.contains("namespace");
  const auto parsed = api::parse_policy({{"apiVersion", "ambassador.dev/v1alpha1"},
                                         {"kind", cluster ? "ClusterAmbassadorPolicy" : "AmbassadorPolicy"},
                                         {"metadata", metadata},
                                         {"spec", spec}});
  INFO(parsed.message());
  REQUIRE(parsed.policy);
  return *parsed.policy;
}
const json kSelector = {{"podSelector", {{"matchLabels", {{"app", "shop"}}}}}};

const std::vector<controller::NamespaceFacts> kNamespaces = {{"shop", {{"team", "a"}}},
                                                             {"data", {{"team", "b"}}},
                                                             {"kube-system", {{"team", "a"}}},
                                                             {"ops", {{"team", "a"}}}};

json apply(const std::set<std::string>& namespaces, const std::string& bundle, const json& exclusions) {
  return controller::selected_to_apply(
      {"selected", "svc", "ops", bundle, std::chrono::seconds(5), namespaces, exclusions});
}
}  // namespace

TEST_CASE("asked about are exactly the namespaces with a policy that selects Pods") {
  using Names = std::set<std::string>;
  const auto of = [](const std::vector<api::Policy>& policies) {
    return controller::namespaces_with_selectors(policies, kNamespaces, "ops");
  };
  CHECK(of({}) == Names{});
  CHECK(of({policy({{"name", "p"}, {"namespace", "shop"}}, json::object())}) ==
        Names{});  // by annotation alone
  CHECK(of({policy({{"name", "p"}, {"namespace", "shop"}}, kSelector)}) == Names{"shop"});
  CHECK(of({policy({{"name", "p"}, {"namespace", "gone"}}, kSelector)}) == Names{});
  CHECK(of({policy({{"name", "p"}}, kSelector)}) ==
        Names{"shop", "data"});  // never kube-system, never our own
  json team = kSelector;
  team["namespaceSelector"] = {{"matchLabels", {{"team", "b"}}}};
  CHECK(of({policy({{"name", "p"}}, team)}) == Names{"data"});
}

TEST_CASE(
    "the entry names the namespaces, keeps the admin's exclusions, fails open, and leaves annotated Pods "
    "alone") {
  const json exclusions = {{"matchExpressions", {{{"key", "k"}, {"operator", "NotIn"}, {"values", {"v"}}}}}};
  const json wanted = apply({"b", "a"}, "PEM", exclusions);
  REQUIRE(wanted["webhooks"].size() == 1);
  const json& entry = wanted["webhooks"][0];
  CHECK(entry["namespaceSelector"]["matchExpressions"] ==
        json::parse(R"([{"key": "k", "operator": "NotIn", "values": ["v"]},
                        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a", "b"]}])"));
  CHECK(entry["failurePolicy"] == "Ignore");
  CHECK(entry["clientConfig"]["caBundle"] == "UEVN");
  CHECK(entry["clientConfig"]["service"]["path"] == "/mutate--v1-pod");
  CHECK(entry["matchConditions"].size() == 2);
  CHECK(apply({}, "PEM", nullptr)["webhooks"].empty());
  CHECK_FALSE(apply({"a"}, "", nullptr)["webhooks"][0]["clientConfig"].contains("caBundle"));
}

TEST_CASE("what is there already, defaults of the API server included, is not written again") {
  const json wanted = apply({"a"}, "PEM", nullptr);
  const json none = apply({}, "PEM", nullptr);
  json live = {{"metadata", {{"name", "selected"}}}};
  CHECK(controller::selected_is_current(live, none));
  CHECK_FALSE(controller::selected_is_current(live, wanted));
  live["webhooks"] = wanted["webhooks"];
  live["webhooks"][0]["objectSelector"] = json::object();
  CHECK(controller::selected_is_current(live, wanted));
  CHECK_FALSE(controller::selected_is_current(live, none));
  CHECK_FALSE(controller::selected_is_current(live, apply({"a", "b"}, "PEM", nullptr)));
  CHECK_FALSE(controller::selected_is_current(live, apply({"a"}, "NEW", nullptr)));
  live["webhooks"][0]["failurePolicy"] = "Fail";
  CHECK_FALSE(controller::selected_is_current(live, wanted));
}
