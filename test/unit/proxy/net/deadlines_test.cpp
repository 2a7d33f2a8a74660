#include "proxy/net/deadlines.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <random>

using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

struct Waiting final : Timed {
  explicit Waiting(std::vector<int>& log, int name) : log_(log), name_(name) {}
  void on_deadline(SteadyTime) override { log_.push_back(name_); }
  std::vector<int>& log_;
  int name_;
};

SteadyTime at(int seconds) {
  return SteadyTime{} + std::chrono::seconds(seconds);
}

}  // namespace

TEST_CASE("who is due is called, earliest first, and only once") {
  Deadlines deadlines;
  std::vector<int> log;
  Waiting a(log, 1), b(log, 2), c(log, 3);
  deadlines.no_later_than(a, at(30));
  deadlines.no_later_than(b, at(10));
  deadlines.no_later_than(c, at(20));
  CHECK(deadlines.first() == at(10));
  deadlines.run(at(20));
  CHECK(log == std::vector<int>{2, 3});
  deadlines.run(at(25));
  CHECK(log.size() == 2);
}

TEST_CASE("an earlier time replaces a later one, a later one does not replace an earlier") {
  Deadlines deadlines;
  std::vector<int> log;
  Waiting a(log, 1);
  deadlines.no_later_than(a, at(30));
  deadlines.no_later_than(a, at(10));
  deadlines.no_later_than(a, at(60));
  deadlines.run(at(10));
  CHECK(log == std::vector<int>{1});
  CHECK(deadlines.empty());
}

TEST_CASE("who is destroyed or cancels is forgotten, the others stay in order") {
  Deadlines deadlines;
  std::vector<int> log;
  std::mt19937 random(5);
  std::vector<std::unique_ptr<Waiting>> all;
  std::vector<std::pair<int, int>> expected;
  for (int i = 0; i < 500; ++i) {
    all.push_back(std::make_unique<Waiting>(log, i));
    const int when = static_cast<int>(random() % 1000);
    deadlines.no_later_than(*all.back(), at(when));
    expected.emplace_back(when, i);
  }
  for (int i = 0; i < 500; i += 3) all[static_cast<std::size_t>(i)].reset();
  for (int i = 1; i < 500; i += 3) deadlines.cancel(*all[static_cast<std::size_t>(i)]);
  std::vector<int> due;
  for (const auto& [when, i] : expected) {
    if (i % 3 == 2) due.push_back(when);
  }
  std::sort(due.begin(), due.end());
  deadlines.run(at(1000));
  REQUIRE(log.size() == due.size());
  for (std::size_t i = 0; i < log.size(); ++i)
    CHECK(expected[static_cast<std::size_t>(log[i])].first == due[i]);
}
