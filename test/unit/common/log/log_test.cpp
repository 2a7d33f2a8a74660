#include "common/log/log.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace events = ambassador::log;
using namespace std::chrono_literals;

namespace {

const std::chrono::system_clock::time_point kNow{1714557600123ms};  // 2024-05-01T10:00:00.123Z

std::string json_line(events::Fields fields) {
  return events::format_line(events::Form::json, events::Level::info, "it happened", fields, kNow);
}

/// Collects lines as long as it lives.
struct Captured {
  Captured() {
    events::redirect([this](std::string_view line) { lines.emplace_back(line); });
    events::configure(events::Form::json, events::Level::info);
  }
  ~Captured() { events::redirect({}); }
  std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("an event is one JSON line with stable keys") {
  CHECK(json_line({{"listener", "shop.cache"}, {"port", 6380}, {"ok", true}, {"took", 1500ms}, {"n", 3U}}) ==
        R"({"ts":"2024-05-01T10:00:00.123Z","level":"info","event":"it happened","listener":"shop.cache",)"
        R"("port":6380,"ok":true,"took":1.5,"n":3})");
}

TEST_CASE("whatever a value holds, the line stays one line of valid JSON") {
  const std::string value =
      GENERATE(as<std::string>{}, "a\"b\\c", "a\nb\tc\r\x01\x7f", "\xff\xfe", "\xc3\xa4", "\xe2\x82",
               "\xed\xa0\x80", "\xf0\x9f\x98\x80", "\xf5\x80\x80\x80", "");
  const std::string line = json_line({{"v", value}});
  CHECK(line.find('\n') == std::string::npos);
  nlohmann::json parsed;
  REQUIRE_NOTHROW(parsed = nlohmann::json::parse(line));
  if (value == "\xc3\xa4" || value == "a\"b\\c") CHECK(parsed["v"] == value);
}

TEST_CASE("a very long value is cut") {
  const auto parsed = nlohmann::json::parse(json_line({{"v", std::string(100000, 'x')}}));
  CHECK(parsed["v"].get<std::string>().size() == events::kMaxValueBytes + 3);
}

TEST_CASE("a value that is not a number is null") {
  CHECK(nlohmann::json::parse(json_line({{"v", std::nan("")}}))["v"].is_null());
}

TEST_CASE("on a terminal the same event is text") {
  CHECK(events::format_line(events::Form::text, events::Level::warning, "it happened",
                            {{"a", "x"}, {"b", "x y"}, {"c", 1}},
                            kNow) == "2024-05-01T10:00:00.123Z warning it happened a=x b=\"x y\" c=1");
}

TEST_CASE("the level decides what is written, and changes while running") {
  Captured captured;
  events::debug("hidden");
  events::info("seen");
  events::set_level(events::Level::error);
  events::warning("hidden");
  events::set_level(events::Level::debug);
  events::debug("seen too");
  REQUIRE(captured.lines.size() == 2);
  CHECK(nlohmann::json::parse(captured.lines[1])["event"] == "seen too");
}

TEST_CASE("threads do not mix their lines") {
  Captured captured;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 250; ++i) events::info("tick", {{"i", i}});
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(captured.lines.size() == 1000);
  for (const auto& line : captured.lines) CHECK(nlohmann::json::accept(line));
}
