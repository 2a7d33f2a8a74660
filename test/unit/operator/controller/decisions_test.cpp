// The small pure decisions of the controllers.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/controller/merge_diff.hpp"
#include "operator/controller/pod_table.hpp"
#include "operator/controller/question_times.hpp"
#include "operator/controller/references.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using nlohmann::json;

TEST_CASE("when to ask DNS again") {
  using controller::next_question;
  CHECK(next_question(dns::Outcome::found, 1s, 10s) == 5s);  // never more often than every 5 s
  CHECK(next_question(dns::Outcome::found, 30s, 10s) == 30s);
  CHECK(next_question(dns::Outcome::found, 300s, 10s) == 60s);     // nor so late that nobody notices
  CHECK(next_question(dns::Outcome::found, 30s, 1s) == 1s);        // its endpoints have just changed
  CHECK(next_question(dns::Outcome::not_found, 0s, 1s) == 500ms);  // normal right after creation
  CHECK(next_question(dns::Outcome::not_found, 0s, 31s) == 5s);
  CHECK(next_question(dns::Outcome::unavailable, 0s, 1s) == 3s);
}

TEST_CASE("a merge patch turns one document into the other") {
  const std::pair<const char*, const char*> table[] = {
      {R"({})", R"({})"},
      {R"({"a": 1, "b": {"c": 2, "d": [1, 2]}})", R"({"a": 1, "b": {"c": 3, "d": [2]}, "e": {}})"},
      {R"({"a": {"b": 1}})", R"({"a": 7})"},
      {R"({"a": 7, "gone": {"x": 1}})", R"({"a": {"b": {"c": true}}})"},
      {R"({"same": {"x": [1]}})", R"({"same": {"x": [1]}})"}};
  for (const auto& [before, after] : table) {
    json document = json::parse(before);
    const json diff = controller::merge_diff(document, json::parse(after));
    document.merge_patch(diff);
    CHECK(document == json::parse(after));
    CHECK(diff.empty() == (json::parse(before) == json::parse(after)));
  }
}

TEST_CASE("Pods are summed up per policy, and whose sums change is told") {
  using Keys = std::set<api::PolicyKey>;
  const api::PolicyKey a{"shop", "a"};
  const api::PolicyKey b{"", "b"};
  controller::PodTable table;
  CHECK(table.put("shop/1", {"u1", {a, b}, true, false, true, {}, {}}) == Keys{a, b});
  CHECK(table.put("shop/1", {"u1", {a, b}, true, false, true, {}, {}}).empty());  // nothing new
  CHECK(table.put("shop/2", {"u2", {a}, false, true, false, {}, {}}) == Keys{a});
  const auto counts = table.counts(a);
  CHECK(counts.injected == 2);
  CHECK(counts.selected == 2);
  CHECK(counts.up_to_date == 1);
  CHECK(counts.stale == 1);
  CHECK(counts.ready == 1);
  CHECK(table.counts(b).injected == 1);
  CHECK(table.total().injected == 2);
  CHECK(table.put("shop/1", {"u3", {b}, true, false, true, {}, {}}) ==
        Keys{a, b});  // a new Pod of the same name
  CHECK(table.counts(a).injected == 1);
  CHECK(table.pods_of(a) == std::vector<std::string>{"shop/2"});
  CHECK(table.remove("shop/2") == Keys{a});
  CHECK(table.remove("shop/2").empty());
  CHECK(table.counts(a).injected == 0);
}

TEST_CASE("a change of an object concerns the policies that name it, until they no longer do") {
  using discovery::ObjectReference;
  const ObjectReference set{ObjectReference::Kind::stateful_set, "data", "redis"};
  const ObjectReference service{ObjectReference::Kind::service, "data", "redis"};
  controller::References references;
  references.set("shop/a", {set, service});
  references.set("shop/b", {service});
  CHECK(references.policies_of(service) == std::vector<std::string>{"shop/a", "shop/b"});
  references.set("shop/a", {service});
  CHECK(references.policies_of(set).empty());
  references.set("shop/b", {});
  CHECK(references.policies_of(service) == std::vector<std::string>{"shop/a"});
}
