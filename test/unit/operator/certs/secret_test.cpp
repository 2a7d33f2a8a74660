#include "operator/certs/secret.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador::certs;
using nlohmann::json;

TEST_CASE("the Secret gives back what was put into it") {
  const Material material{"bundle", "ca key", "certificate", "key"};
  const auto secret = write_secret(nullptr, "system", "operator-certificate", material);
  CHECK(secret["type"] == "kubernetes.io/tls");
  CHECK(secret["metadata"]["name"] == "operator-certificate");
  CHECK(secret["metadata"]["namespace"] == "system");
  CHECK(read_secret(secret) == material);
}

TEST_CASE("a Secret that is there keeps its labels, its further keys and its resourceVersion, the lock") {
  const json current = {{"metadata", {{"resourceVersion", "7"}, {"labels", {{"theirs", "yes"}}}}},
                        {"type", "Opaque"},
                        {"data", {{"further", "eA=="}, {"tls.crt", "eA=="}}}};
  const auto secret = write_secret(current, "system", "operator-certificate", {"b", "c", "d", "e"});
  CHECK(secret["metadata"] == current["metadata"]);
  CHECK(secret["type"] == "Opaque");
  CHECK(secret["data"]["further"] == "eA==");
  CHECK(read_secret(secret).certificate == "d");
}

TEST_CASE("what is absent, null or no base64 reads as empty") {
  const std::vector<json> odd = {
      nullptr, json::object(), {{"data", nullptr}}, {{"data", {{"tls.crt", 5}, {"ca.crt", "%%"}}}}};
  for (const auto& secret : odd) CHECK(read_secret(secret) == Material{});
}
