#include "operator/kube/lease_record.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador;
using namespace std::chrono_literals;
using kube::Json;
using kube::LeaseVerdict;

namespace {
Json lease(const Json& holder, const Json& seconds = 15) {
  return {{"metadata", {{"name", "l"}, {"resourceVersion", "7"}, {"managedFields", {1}}}},
          {"spec",
           {{"holderIdentity", holder},
            {"leaseDurationSeconds", seconds},
            {"leaseTransitions", 3},
            {"acquireTime", "then"},
            {"renewTime", "then"}}}};
}
}  // namespace

TEST_CASE("who may take a lease") {
  CHECK(kube::judge_lease(lease("me"), "me", 0s) == LeaseVerdict::renew);
  CHECK(kube::judge_lease(lease("me"), "me", 1h) == LeaseVerdict::renew);
  CHECK(kube::judge_lease(lease("you"), "me", 15s) == LeaseVerdict::wait);
  CHECK(kube::judge_lease(lease("you"), "me", 15001ms) == LeaseVerdict::take);
  CHECK(kube::judge_lease(lease("you", 60), "me", 30s) == LeaseVerdict::wait);  // its duration, not ours
  CHECK(kube::judge_lease(lease(""), "me", 0s) == LeaseVerdict::take);          // released
  CHECK(kube::judge_lease(lease(nullptr), "me", 0s) == LeaseVerdict::take);
  CHECK(kube::judge_lease(lease("you", nullptr), "me", 14s) == LeaseVerdict::wait);
  CHECK(kube::judge_lease(Json::object(), "me", 0s) == LeaseVerdict::take);
}

TEST_CASE("taking counts a transition, renewing does not, and the lock stays") {
  const auto taken = kube::claim_lease(lease("you"), "ops", "l", "me", 15s, "now");
  CHECK(taken["spec"] == Json{{"holderIdentity", "me"},
                              {"leaseDurationSeconds", 15},
                              {"leaseTransitions", 4},
                              {"acquireTime", "now"},
                              {"renewTime", "now"}});
  CHECK(taken["metadata"]["resourceVersion"] == "7");
  CHECK_FALSE(taken["metadata"].contains("managedFields"));
  const auto renewed = kube::claim_lease(lease("me"), "ops", "l", "me", 15s, "now");
  CHECK(renewed["spec"]["leaseTransitions"] == 3);
  CHECK(renewed["spec"]["acquireTime"] == "then");
  CHECK(renewed["spec"]["renewTime"] == "now");
  const auto first = kube::claim_lease(nullptr, "ops", "l", "me", 500ms, "now");
  CHECK(first["spec"]["leaseTransitions"] == 0);
  CHECK(first["spec"]["leaseDurationSeconds"] == 1);
  const auto released = kube::release_lease(lease("me"), "now");
  CHECK(kube::judge_lease(released, "you", 0s) == LeaseVerdict::take);
}
