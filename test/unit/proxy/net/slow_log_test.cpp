#include <catch2/catch.hpp>

#include "proxy/net/slow_log.hpp"

using namespace ambassador::proxy;
using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> keys(const SlowLog& log) {
  std::vector<SlowRequest> all;
  log.list(all);
  std::vector<std::string> names;
  for (const SlowRequest& one : all) names.push_back(one.key);
  return names;
}

}  // namespace

TEST_CASE("of slow requests the last ones are kept") {
  SlowLog log;
  CHECK(log.threshold() == std::chrono::microseconds::max());
  log.limit({.threshold = 10ms, .size = 3});
  CHECK(log.threshold() == 10ms);
  CHECK(keys(log).empty());
  for (int i = 0; i < 8; ++i) log.add().key = std::to_string(i);
  CHECK(keys(log) == std::vector<std::string>{"5", "6", "7"});
}

TEST_CASE("what is kept of slow requests outlives another limit, as far as it fits") {
  SlowLog log;
  log.limit({.threshold = 10ms, .size = 3});
  for (int i = 0; i < 3; ++i) log.add().key = std::to_string(i);
  log.limit({.threshold = 0ms, .size = 2});
  CHECK(log.threshold() == 0ms);
  CHECK(keys(log) == std::vector<std::string>{"1", "2"});
  log.limit({.threshold = 0ms, .size = 0});
  CHECK(log.threshold() == std::chrono::microseconds::max());
  CHECK(keys(log).empty());
  log.limit({.threshold = 1ms, .size = 1});
  log.add().key = "again";
  CHECK(keys(log) == std::vector<std::string>{"again"});
}
