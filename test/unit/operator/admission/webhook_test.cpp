#include "operator/admission/webhook.hpp"

#include <catch2/catch.hpp>

#include "operator/api/names.hpp"
#include "test/unit/operator/admission/world.hpp"

using namespace ambassador;
using namespace ambassador::test;

TEST_CASE("what is no review gets a 4xx that says why") {
  World world;
  const auto good = review_of(pod(), "shop").dump();
  const auto path = std::string(api::kMutatePath);
  const auto expect = [&](const http::Response& answer, unsigned status, const std::string& text) {
    INFO(answer.body);
    CHECK(answer.status == status);
    CHECK(answer.body.find(text) != std::string::npos);
  };
  expect(world.post("/", good), 404, "/mutate--v1-pod");
  expect(world.post(path, good, "text/plain"), 415, "application/json");
  expect(world.post(path, good, "application/jsonp"), 415, "application/json");
  expect(world.post(path, good, ""), 415, "application/json");
  expect(world.post(path, "garbage"), 400, "is not JSON");
  expect(world.post(path, "{}"), 400, "apiVersion");
  expect(world.post(path, policy_review_of(policy("shop", "x"), "shop").dump()), 400, "AmbassadorPolicy");
  expect(world.post(api::kValidatePath, good), 400, "Pod");
  http::Request get;
  get.method = "GET";
  get.target = path;
  expect(world.ask(get), 405, "POST");
  CHECK(world.metrics.text().find(R"(ambassador_operator_webhook_refused_total{code="400"} 4)") !=
        std::string::npos);
}

TEST_CASE("a content type with parameters, and a path with the API server's query, are taken") {
  World world;
  const auto body = review_of(pod(), "shop").dump();
  CHECK(world.post(api::kMutatePath, body, "application/json; charset=utf-8").status == 200);
  CHECK(world.post(std::string(api::kMutatePath) + "?timeout=5s", body).status == 200);
}

TEST_CASE("a Pod's subresource and another version's Pod are not reviewed") {
  World world;
  auto review = review_of(pod(), "shop");
  review["request"]["subResource"] = "ephemeralcontainers";
  CHECK(world.post(api::kMutatePath, review.dump()).status == 400);
}

TEST_CASE("a sound policy is allowed, another one is refused with field and way out") {
  World world;
  auto good = policy("shop", "new");
  good["apiVersion"] = "ambassador.dev/v1alpha1";
  good["kind"] = "AmbassadorPolicy";
  CHECK(world.validate(policy_review_of(good, "shop")).at("allowed") == true);
  auto bad = good;
  bad["spec"]["listeners"].push_back(bad["spec"]["listeners"][0]);
  const auto response = world.validate(policy_review_of(bad, "shop"));
  CHECK(response.at("allowed") == false);
  CHECK(response.at("status").at("code") == 422);
  CHECK(response.at("status").at("message").get<std::string>().find("spec.listeners[1]") !=
        std::string::npos);
  CHECK(world.metrics.text().find(R"(ambassador_operator_policy_reviews_total{result="Denied"} 1)") !=
        std::string::npos);
}

TEST_CASE("policies do not count as Pods") {
  World world;
  (void)world.validate(policy_review_of(policy("shop", "new"), "shop"));
  CHECK(world.metrics.text().find("ambassador_operator_admission_requests_total{") == std::string::npos);
}

TEST_CASE(
    "the reachability check is answered in the operator's own namespace as a dry run, and nowhere else") {
  World world;
  auto check = policy("system", admission::kReachabilityPolicy);
  check["apiVersion"] = "ambassador.dev/v1alpha1";
  check["kind"] = "AmbassadorPolicy";
  auto review = policy_review_of(check, "system");
  review["request"]["dryRun"] = true;
  const auto reached = world.validate(review);
  CHECK(reached.at("status").at("message") == admission::kReachabilityAnswer);
  CHECK(reached.at("status").at("code") == admission::kReachabilityCode);
}

TEST_CASE(
    "the name of the reachability check means nothing where it would be stored, elsewhere, or otherwise") {
  World world;
  auto check = policy("system", admission::kReachabilityPolicy);
  check["apiVersion"] = "ambassador.dev/v1alpha1";
  check["kind"] = "AmbassadorPolicy";
  auto review = policy_review_of(check, "system");
  review["request"]["dryRun"] = true;
  SECTION("stored") {
    review["request"]["dryRun"] = false;
  }
  SECTION("in another namespace") {
    review["request"]["namespace"] = "shop";
  }
  SECTION("under another name") {
    review["request"]["name"] = "other";
  }
  CHECK(world.validate(review).at("allowed") == true);
}
