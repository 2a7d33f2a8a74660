#include "operator/kube/work_queue.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace ambassador;
using namespace std::chrono_literals;

TEST_CASE("a key that is added many times is handed out once") {
  kube::WorkQueue queue("test");
  for (int i = 0; i < 5; ++i) queue.add("a");
  queue.add("b");
  CHECK(queue.statistics().depth == 2);
  CHECK(queue.get() == "a");
  CHECK(queue.get() == "b");
  CHECK(queue.statistics().adds == 2);
}

TEST_CASE("a key that is added while it is worked on comes again after done, not before") {
  kube::WorkQueue queue("test");
  queue.add("a");
  REQUIRE(queue.get() == "a");
  queue.add("a");
  queue.add("a");
  CHECK(queue.statistics().depth == 0);
  CHECK(queue.statistics().in_work == 1);
  queue.done("a");
  CHECK(queue.statistics().depth == 1);
  CHECK(queue.get() == "a");
  queue.done("a");
  CHECK(queue.statistics().depth == 0);
}

TEST_CASE("a delayed key comes when it is due, the earlier of two delays counts") {
  kube::WorkQueue queue("test");
  const auto begin = std::chrono::steady_clock::now();
  queue.add_after("late", 1h);
  queue.add_after("late", 60ms);
  queue.add_after("late", 2h);
  queue.add_after("now", 0ms);
  CHECK(queue.get() == "now");
  CHECK(queue.get() == "late");
  CHECK(std::chrono::steady_clock::now() - begin >= 60ms);
}

TEST_CASE("failures double the pause up to the cap, and forget starts over") {
  kube::WorkQueue queue("test", {.backoff_base = 10ms, .backoff_cap = 40ms});
  const auto pause = [&] {
    const auto begin = std::chrono::steady_clock::now();
    queue.add_rate_limited("a");
    CHECK(queue.get() == "a");
    queue.done("a");
    return std::chrono::steady_clock::now() - begin;
  };
  CHECK(pause() >= 10ms);
  CHECK(pause() >= 20ms);
  CHECK(pause() >= 40ms);
  const auto capped = pause();
  CHECK(capped >= 40ms);
  CHECK(capped < 10s);
  CHECK(queue.failures("a") == 4);
  queue.forget("a");
  CHECK(queue.failures("a") == 0);
  CHECK(queue.statistics().retries == 4);
}

TEST_CASE("many failing keys share a rate") {
  kube::WorkQueue queue("test", {.backoff_base = 0ms, .backoff_cap = 1s, .per_second = 100, .burst = 2});
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 12; ++i) queue.add_rate_limited(std::to_string(i));
  for (int i = 0; i < 12; ++i) CHECK(queue.get());
  CHECK(std::chrono::steady_clock::now() - begin >= 90ms);  // 2 at once, 10 at 100/s
}

TEST_CASE("a shut down queue hands out what waits, drops what is delayed, and ends its workers") {
  kube::WorkQueue queue("test");
  queue.add("a");
  queue.add_after("never", 1h);
  queue.shut_down();
  queue.add("late");
  CHECK(queue.get() == "a");
  CHECK(queue.get() == std::nullopt);

  kube::WorkQueue waiting("waiting");
  std::atomic<int> ended{0};
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 3; ++i) {
      workers.emplace_back([&] {
        while (auto key = waiting.get()) waiting.done(*key);
        ++ended;
      });
    }
    waiting.add("x");
    waiting.shut_down();
  }
  CHECK(ended == 3);
  waiting.reset();
  waiting.add("again");
  CHECK(waiting.get() == "again");
}

TEST_CASE("no key is ever worked on by two workers at once") {
  kube::WorkQueue queue("test");
  std::array<std::atomic<int>, 4> busy{};
  std::atomic<int> worked{0};
  std::atomic<bool> clash{false};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (auto key = queue.get()) {
        auto& mine = busy.at(static_cast<std::size_t>(std::stoi(*key)));
        if (++mine != 1) clash = true;
        std::this_thread::yield();
        --mine;
        ++worked;
        queue.done(*key);
      }
    });
  }
  for (int i = 0; i < 4000; ++i) queue.add(std::to_string(i % 4));
  queue.shut_down();
  workers.clear();
  CHECK_FALSE(clash);
  CHECK(worked >= 4);
}
