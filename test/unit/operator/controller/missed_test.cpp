#include "operator/controller/missed.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador;
using nlohmann::json;

namespace {
constexpr const char* kAccepted = "2026-03-01T12:00:00Z";

json policy(const json& more = json::object(), const char* accepted_at = kAccepted,
            const char* status = "True") {
  json document = {
      {"apiVersion", "ambassador.dev/v1alpha1"},
      {"kind", "AmbassadorPolicy"},
      {"metadata", {{"name", "p"}, {"namespace", "shop"}}},
      {"spec",
       {{"podSelector", {{"matchLabels", {{"app", "shop"}}}}},
        {"listeners",
         {{{"name", "cache"},
           {"protocol", "Redis"},
           {"port", 6380},
           {"upstreams", {{{"hosts", {{{"host", "10.0.0.1"}, {"port", 6379}}}}}}}}}}}},
      {"status",
       {{"conditions", {{{"type", "Accepted"}, {"status", status}, {"lastTransitionTime", accepted_at}}}}}}};
  document["spec"].update(more);
  return document;
}

json pod(const char* created, const json& metadata = json::object()) {
  json out = {{"metadata",
               {{"name", "app"},
                {"namespace", "shop"},
                {"labels", {{"app", "shop"}}},
                {"creationTimestamp", created}}}};
  out["metadata"].merge_patch(metadata);
  return out;
}

std::size_t missed(const json& one, const json& by) {
  return controller::missed_policies(one, {}, {std::make_shared<const json>(by)}).size();
}
}  // namespace

TEST_CASE("a selected Pod that is younger than its policy should have an ambassador") {
  CHECK(missed(pod("2026-03-01T12:00:01Z"), policy()) == 1);
  CHECK(missed(pod("2026-03-01T12:00:00Z"), policy()) == 0);  // the same second: either may have come first
  CHECK(missed(pod("2026-03-01T11:00:00Z"), policy()) == 0);  // older Pods were never meant to have one
}

TEST_CASE("who is not selected, opted out, has one or is about to go is not missed") {
  const char* later = "2026-03-01T13:00:00Z";
  CHECK(missed(pod(later, {{"labels", {{"app", "other"}}}}), policy()) == 0);
  CHECK(missed(pod(later, {{"annotations", {{"ambassador.dev/inject", "false"}}}}), policy()) == 0);
  CHECK(missed(pod(later, {{"annotations", {{"kubernetes.io/config.mirror", "x"}}}}), policy()) == 0);
  CHECK(missed(pod(later, {{"labels", {{"ambassador.dev/injected", "true"}}}}), policy()) == 0);
  CHECK(missed(pod(later, {{"deletionTimestamp", later}}), policy()) == 0);
  CHECK(missed(pod(later, {{"namespace", "elsewhere"}}), policy()) == 0);
}

TEST_CASE("policies that are not accepted, or want no repair, miss nobody") {
  const char* later = "2026-03-01T13:00:00Z";
  CHECK(missed(pod(later), policy({{"repair", "Disabled"}})) == 0);
  CHECK(missed(pod(later), policy(json::object(), kAccepted, "False")) == 0);
  CHECK(missed(pod(later), policy({{"listeners", json::array()}})) == 0);
  json unseen = policy();
  unseen.erase("status");
  CHECK(missed(pod(later), unseen) == 0);
}
