#include "operator/admission/review.hpp"

#include <catch2/catch.hpp>

#include "operator/kube/base64.hpp"
#include "test/unit/operator/admission/world.hpp"

using namespace ambassador;
using namespace ambassador::admission;
using ambassador::test::pod;
using ambassador::test::review_of;
using nlohmann::json;

namespace {
std::string fault_of(const json& document) {
  const auto read = read_review(document.dump());
  return read.ok() ? "" : read.error().text();
}
}  // namespace

TEST_CASE("a review is read as it came") {
  const auto review = read_review(review_of(pod(), "shop").dump()).value();
  CHECK(review.uid == "uid-1");
  CHECK(review.ns == "shop");
  CHECK(review.name == "app");
  CHECK(review.operation == "CREATE");
  CHECK(review.kind == "Pod");
  CHECK_FALSE(review.dry_run);
  CHECK(review.object() == pod());
}

TEST_CASE("a Pod with generateName has no name, and a dry run is one") {
  auto document = review_of(pod(), "shop");
  document["request"].erase("name");
  document["request"]["dryRun"] = true;
  const auto review = read_review(document.dump()).value();
  CHECK(review.name.empty());
  CHECK(review.dry_run);
}

TEST_CASE("what is no review names the field that is wrong") {
  const auto good = review_of(pod(), "shop");
  const auto with = [&](const char* pointer, const json& value) {
    auto document = good;
    document[json::json_pointer(pointer)] = value;
    return fault_of(document);
  };
  CHECK(fault_of(good).empty());
  CHECK(with("/apiVersion", "admission.k8s.io/v1beta1") ==
        "apiVersion: is \"admission.k8s.io/v1beta1\"; only admission.k8s.io/v1 is spoken here");
  CHECK(with("/kind", "Pod") == "kind: is \"Pod\", not AdmissionReview");
  CHECK(with("/request", nullptr) == "request: is missing");
  CHECK(with("/request/uid", "") == "request.uid: must have 1 to 128 characters");
  CHECK(with("/request/uid", 5) == "request.uid: must have 1 to 128 characters");
  CHECK(with("/request/uid", std::string(129, 'a')) == "request.uid: must have 1 to 128 characters");
  CHECK(with("/request/operation", nullptr) == "request.operation: is missing");
  CHECK(with("/request/kind", "Pod") == "request.kind.kind: is missing");
  CHECK(fault_of(json::array()) == "body: is no JSON object");
}

TEST_CASE("bytes that are no JSON, and JSON that is nested to hurt, are refused") {
  for (const std::string& body : {std::string(), std::string("{"), std::string("\x00\xff", 2),
                                  std::string("{\"a\":\"\xc3\x28\"}"), std::string("{}{}")}) {
    CHECK_FALSE(read_review(body).ok());
  }
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const auto deep = read_review(R"({"apiVersion":)" + nested(100'000) + "}");
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().text().find("nested more than") != std::string::npos);
}

TEST_CASE("an allowed Pod without a patch gets neither patch nor patchType") {
  CHECK(json::parse(answer_text("u", {}))["response"] == json{{"uid", "u"}, {"allowed", true}});
}

TEST_CASE("patch and patchType come together, the patch as base64") {
  Verdict verdict;
  verdict.patch = json::parse(R"([{"op": "add", "path": "/a", "value": 1}])");
  const auto response = json::parse(answer_text("u", verdict))["response"];
  CHECK(response["patchType"] == "JSONPatch");
  CHECK(json::parse(kube::base64_decode(response["patch"].get<std::string>()).value()) == verdict.patch);
}

TEST_CASE("a denial carries code, reason and message, and never a patch") {
  Verdict verdict;
  verdict.allowed = false;
  verdict.message = "the policy \"x\" is not there";
  verdict.patch = json::parse(R"([{"op": "remove", "path": "/a"}])");
  const auto response = json::parse(answer_text("u", verdict))["response"];
  CHECK(response["allowed"] == false);
  CHECK(response["status"] == json{{"status", "Failure"},
                                   {"code", 403},
                                   {"reason", "Forbidden"},
                                   {"message", "the policy \"x\" is not there"}});
  CHECK_FALSE(response.contains("patch"));
  CHECK_FALSE(response.contains("patchType"));
}

TEST_CASE("warnings stay within what the API server passes on") {
  Verdict verdict;
  verdict.warnings = {std::string(300, 'a'), std::string(255, 'b') + "\xc3\xa4", ""};
  for (int i = 0; i < 30; ++i) verdict.warnings.push_back(std::string(256, 'c'));
  const auto warnings = json::parse(answer_text("u", verdict))["response"]["warnings"];
  CHECK(warnings[0] == std::string(256, 'a'));
  CHECK(warnings[1] == std::string(255, 'b'));  // no half character
  std::size_t total = 0;
  for (const auto& warning : warnings) total += warning.get<std::string>().size();
  CHECK(total <= kMaxWarnings);
}

TEST_CASE("a message that is no UTF-8 still makes an answer") {
  Verdict verdict;
  verdict.allowed = false;
  verdict.message = "\xff";
  CHECK(json::parse(answer_text("u", verdict))["response"]["status"]["message"] == "\xEF\xBF\xBD");
}
