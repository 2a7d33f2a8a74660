#include "operator/certs/webhook_trust.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/certs/authority.hpp"
#include "operator/kube/base64.hpp"

using namespace ambassador;
using namespace ambassador::certs;
using nlohmann::json;

namespace {
const Time kNow = Time(std::chrono::seconds(1'800'000'000));

json configuration(const std::string& bundle) {
  json webhook = {{"name", "annotated.ambassador.dev"},
                  {"clientConfig", {{"service", {{"name", "operator"}}}}},
                  {"matchConditions", {{{"name", "asks"}, {"expression", "true"}}}}};
  if (!bundle.empty()) webhook["clientConfig"]["caBundle"] = kube::base64_encode(bundle);
  return {{"apiVersion", "admissionregistration.k8s.io/v1"},
          {"kind", "MutatingWebhookConfiguration"},
          {"metadata", {{"name", "operator-annotated"}}},
          {"webhooks", {webhook}}};
}
}  // namespace

TEST_CASE("a configuration without our CA gets the whole bundle, and nothing else is touched") {
  const auto ca = make_ca(kNow)->certificate;
  const auto applied = trust_to_apply(configuration(""), ca);
  REQUIRE(applied);
  CHECK(*applied == json{{"apiVersion", "admissionregistration.k8s.io/v1"},
                         {"kind", "MutatingWebhookConfiguration"},
                         {"metadata", {{"name", "operator-annotated"}}},
                         {"webhooks",
                          {{{"name", "annotated.ambassador.dev"},
                            {"clientConfig", {{"caBundle", kube::base64_encode(ca)}}}}}}});
}

TEST_CASE("a configuration that holds our CAs is left alone") {
  const auto ca = make_ca(kNow)->certificate;
  CHECK_FALSE(trust_to_apply(configuration(ca), ca));
}

TEST_CASE("a replica that knows only the old CA does not take the new one out again") {
  const auto old_ca = make_ca(kNow)->certificate;
  const auto new_ca = make_ca(kNow)->certificate;
  CHECK_FALSE(trust_to_apply(configuration(new_ca + old_ca), old_ca));
  CHECK(trust_to_apply(configuration(old_ca), new_ca + old_ca));
}

TEST_CASE("one webhook of two without the CA is a fault") {
  const auto ca = make_ca(kNow)->certificate;
  auto two = configuration(ca);
  two["webhooks"].push_back({{"name", "second"}, {"clientConfig", json::object()}});
  CHECK_FALSE(trusts(two, ca));
  CHECK(trust_to_apply(two, ca)->at("webhooks").size() == 2);
}

TEST_CASE("nothing is applied where there is no webhook or no bundle yet") {
  const auto ca = make_ca(kNow)->certificate;
  auto none = configuration("");
  none["webhooks"] = json::array();
  CHECK_FALSE(trust_to_apply(none, ca));
  CHECK_FALSE(trust_to_apply(json::object(), ca));
  CHECK_FALSE(trust_to_apply(configuration(""), ""));
  CHECK_FALSE(trusts(none, ca));
}

TEST_CASE("a webhook without matchConditions is noticed") {
  auto intact = configuration("");
  CHECK(has_match_conditions(intact));
  for (const json& lost : {json(nullptr), json::array()}) {
    auto broken = intact;
    broken["webhooks"][0]["matchConditions"] = lost;
    CHECK_FALSE(has_match_conditions(broken));
  }
  intact["webhooks"][0].erase("matchConditions");
  CHECK_FALSE(has_match_conditions(intact));
  CHECK_FALSE(has_match_conditions(json::object()));
}
