#include "operator/admission/versions.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador;
using namespace ambassador::admission;

namespace {
kube::Object node(const std::string& version, bool unschedulable = false) {
  return std::make_shared<const kube::Json>(
      kube::Json{{"spec", {{"unschedulable", unschedulable}}},
                 {"status", {{"nodeInfo", {{"kubeletVersion", version}}}}}});
}
}  // namespace

TEST_CASE("the minor version is read from what clouds make of it") {
  CHECK(minor_of("v1.31.4") == 31);
  CHECK(minor_of("v1.30.8-eks-1") == 30);
  CHECK(minor_of("v1.29+") == 29);
  for (const char* odd : {"", "1.31", "v2.31.4", "v1.", "v1.x"}) CHECK(minor_of(odd) == 0);
}

TEST_CASE("the oldest node that takes Pods counts") {
  CHECK(oldest_minor({node("v1.31.0"), node("v1.30.2"), node("v1.32.0")}) == 30);
  CHECK(oldest_minor({node("v1.31.0"), node("v1.28.0", true)}) == 31);
  CHECK(oldest_minor({node("odd")}) == 0);
  CHECK(oldest_minor({}) == 0);
}
