#include "operator/kube/documents.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador;
using kube::Json;

TEST_CASE("a document that is nested too deep, cut off or followed by more is an error") {
  CHECK(kube::parse_document("{\"a\": [1]}").ok());
  CHECK_FALSE(kube::parse_document("").ok());
  CHECK_FALSE(kube::parse_document("{\"a\":").ok());
  CHECK_FALSE(kube::parse_document("{} {}").ok());
  CHECK_FALSE(kube::parse_document("<html>").ok());
  const std::string deep(100000, '[');
  const auto parsed = kube::parse_document(deep);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().text() == "answer: is nested more than 200 levels deep");
}

TEST_CASE("a Status gives reason, message and when to ask again") {
  const kube::Response busy{
      429,
      R"({"kind":"Status","reason":"TooManyRequests","message":"slow down","details":{"retryAfterSeconds":3}})",
      std::nullopt};
  const auto error = kube::read_status(busy, "GET /x");
  CHECK(error.text() == "GET /x: 429 TooManyRequests: slow down");
  CHECK(error.retry_after == std::chrono::seconds(3));
  CHECK(error.retryable());

  const kube::Response proxy_page{502, "Bad Gateway\n<html>", std::nullopt};
  CHECK(kube::read_status(proxy_page, "GET /x").text() == "GET /x: 502: Bad Gateway");
}

TEST_CASE("watch lines that are not events are errors, never crashes") {
  for (const auto* line :
       {"", "null", "[]", "7", "{}", "{\"type\":\"ADDED\"}", "{\"type\":\"ADDED\",\"object\":7}",
        "{\"type\":\"ODD\",\"object\":{}}", "{\"type\":5,\"object\":{}}", "{\"object\":{}}"}) {
    CAPTURE(line);
    CHECK_FALSE(kube::read_watch_line(line, "GET /x").ok());
  }
  const auto gone = kube::read_watch_line(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})",
      "GET /x");
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().expired());
}

TEST_CASE("a page that is no list is an error, an empty one is empty") {
  CHECK_FALSE(kube::read_page(Json::object(), kube::resources::pods).ok());
  const auto empty =
      kube::read_page({{"items", nullptr}, {"metadata", {{"resourceVersion", "7"}}}}, kube::resources::pods);
  REQUIRE(empty.ok());
  CHECK(empty->items.empty());
  CHECK(empty->resource_version == "7");
}

TEST_CASE("objects are read by their fields, whatever they hold") {
  const Json odd = {{"metadata", {{"name", 7}, {"labels", {{"a", "b"}, {"c", nullptr}}}}}};
  CHECK(kube::name_of(odd).empty());
  CHECK(kube::labels_of(odd) == std::map<std::string, std::string>{{"a", "b"}});
  CHECK(kube::label_of(odd, "c") == std::nullopt);
  CHECK(kube::key_of(Json("text")).empty());
  CHECK(kube::split_key("shop/redis") == std::pair<std::string, std::string>{"shop", "redis"});
  CHECK(kube::split_key("node-1") == std::pair<std::string, std::string>{"", "node-1"});
}
