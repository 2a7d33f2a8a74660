#include "operator/api/review.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "policies.hpp"

using namespace ambassador::api;
using nlohmann::json;

namespace {

json broken_policy() {
  json document = good_policy();
  document["spec"]["listeners"][0]["port"] = 80;
  return document;
}

}  // namespace

TEST_CASE("a good policy may be created, a broken one is refused with its problem") {
  CHECK(review_policy({{"operation", "CREATE"}, {"object", good_policy()}}).allowed);
  const auto review = review_policy({{"operation", "CREATE"}, {"object", broken_policy()}});
  CHECK_FALSE(review.allowed);
  CHECK_THAT(review.message, Catch::Contains("spec.listeners[0].port: 80 is out of range"));
}

TEST_CASE("a policy that turned invalid with an upgrade can still be labelled and deleted") {
  json labelled = broken_policy();
  labelled["metadata"]["labels"] = {{"a", "b"}};
  CHECK(
      review_policy({{"operation", "UPDATE"}, {"object", labelled}, {"oldObject", broken_policy()}}).allowed);
  json deleted = broken_policy();
  deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(review_policy({{"operation", "UPDATE"}, {"object", deleted}, {"oldObject", good_policy()}}).allowed);
  CHECK(review_policy({{"operation", "DELETE"}, {"oldObject", broken_policy()}}).allowed);
  CHECK_FALSE(
      review_policy({{"operation", "UPDATE"}, {"object", broken_policy()}, {"oldObject", good_policy()}})
          .allowed);
}

TEST_CASE("a request that makes no sense is refused or passed, and never throws") {
  CHECK(review_policy(json()).allowed);
  CHECK_FALSE(review_policy({{"operation", "CREATE"}}).allowed);
}
