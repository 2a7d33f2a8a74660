#include <catch2/catch.hpp>

#include "operator/kube/base64.hpp"
#include "operator/kube/resource.hpp"
#include "operator/kube/timestamp.hpp"
#include "operator/kube/url.hpp"

using namespace ambassador;

TEST_CASE("base64 goes both ways (the table of RFC 4648)") {
  const std::pair<const char*, const char*> table[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : table) {
    CHECK(kube::base64_encode(plain) == encoded);
    CHECK(kube::base64_decode(encoded) == std::string(plain));
  }
  CHECK(kube::base64_decode("Zm9v\nYmFy\n") == "foobar");
  const std::string bytes("\x00\xff\x80\n", 4);
  CHECK(kube::base64_decode(kube::base64_encode(bytes)) == bytes);
  for (const auto* wrong : {"Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Zm 9v", "====", "Zm9v="}) {
    CAPTURE(wrong);
    CHECK(kube::base64_decode(wrong) == std::nullopt);
  }
}

TEST_CASE("times are printed and read as Kubernetes does") {
  const auto time = kube::parse_rfc3339("2026-03-01T12:34:56.000789Z");
  REQUIRE(time);
  CHECK(kube::rfc3339_micro(*time) == "2026-03-01T12:34:56.000789Z");
  CHECK(kube::rfc3339(*time) == "2026-03-01T12:34:56Z");
  CHECK(kube::parse_rfc3339("2026-03-01T12:34:56Z"));
  CHECK(kube::rfc3339_micro(*kube::parse_rfc3339("2026-03-01T12:34:56.5Z")) == "2026-03-01T12:34:56.500000Z");
  for (const auto* wrong : {"", "Z", "2026-03-01", "2026-03-01T12:34:56", "2026-13-01T12:34:56Z",
                            "2026-03-01T12:34:56.Z", "2026-03-01T12:34:56.xZ", "2026-03-01 12:34:56Z"}) {
    CAPTURE(wrong);
    CHECK(kube::parse_rfc3339(wrong) == std::nullopt);
  }
}

TEST_CASE("paths and queries of the API") {
  using namespace kube::resources;
  CHECK(kube::path_of(stateful_sets, "shop", "redis-st", "status") ==
        "/apis/apps/v1/namespaces/shop/statefulsets/redis-st/status");
  CHECK(kube::path_of(pods, "", "") == "/api/v1/pods");
  CHECK(kube::path_of(nodes, "ignored", "n1") == "/api/v1/nodes/n1");
  CHECK(kube::query_of({{"a", "x=y,z"}, {"b", ""}, {"c", "1"}}) == "?a=x%3Dy%2Cz&c=1");
  CHECK(kube::query_of({{"a", ""}}).empty());
}
