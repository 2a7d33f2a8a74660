#include "common/config/duration.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using ambassador::config::parse_duration;
using ambassador::config::print_duration;

TEST_CASE("durations read as Kubernetes writes them") {
  const auto [text, value] = GENERATE(table<const char*, std::chrono::milliseconds>({
      {"0", 0ms},
      {"0s", 0ms},
      {"5s", 5s},
      {"500ms", 500ms},
      {"1m30s", 90s},
      {"1h0m0s", 1h},
      {"1.5h", 90min},
      {".5s", 500ms},
      {"1.250s", 1250ms},
      {"90m", 90min},
      {"10000h", 10000h},
  }));
  CAPTURE(text);
  REQUIRE(parse_duration(text).ok());
  CHECK(*parse_duration(text) == value);
}

TEST_CASE("what is no duration is refused with a way out") {
  const char* text = GENERATE("", "5", "s", "5 s", "-5s", "+5s", "5S", "5d", "1us", "1.0001s", "1..5s", "5s ",
                              "5s,", "1e3s", ".s", ".", "10001h", "99999999999999999999s", "1h1", "0x5s");
  CAPTURE(text);
  const auto result = parse_duration(text);
  REQUIRE_FALSE(result.ok());
  CHECK_THAT(result.error().what, Catch::Matchers::Contains("give a duration such as 500ms, 5s or 1m30s"));
}

TEST_CASE("durations print in the shortest form and read back equal") {
  CHECK(print_duration(0ms) == "0s");
  CHECK(print_duration(90s) == "1m30s");
  CHECK(print_duration(1h) == "1h");
  CHECK(print_duration(1500ms) == "1s500ms");
  const auto value = GENERATE(1ms, 999ms, 1001ms, 59s, 61s, 3599s, 3661001ms, 86400s);
  CHECK(*parse_duration(print_duration(value)) == value);
}
