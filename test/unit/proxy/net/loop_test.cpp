#include "proxy/net/loop.hpp"

#include <pthread.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <ctime>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kBudget = 1 << 20;

class Waker : public Timed {
 public:
  explicit Waker(Loop& loop) : loop_(loop) {}
  void on_deadline(SteadyTime now) override {
    woken_at = now;
    loop_.stop();
  }
  SteadyTime woken_at{};

 private:
  Loop& loop_;
};

class Counting final : public Peer {
 public:
  explicit Counting(Loop& loop) : loop_(loop) {}
  void on_ready(std::uint32_t /*events*/) override {}
  void on_deadline(SteadyTime /*now*/) override {}
  void flush() override { ++flushes; }
  void go_on() override {
    if (++turns < 3) return loop_.again(*this);
    loop_.stop();
  }
  int flushes = 0;
  int turns = 0;

 private:
  Loop& loop_;
};

class Holding final : public Peer {
 public:
  explicit Holding(Loop& loop) : loop_(loop) {}
  void on_ready(std::uint32_t /*events*/) override {}
  void on_deadline(SteadyTime /*now*/) override {}
  void flush() override {
    ++flushes;
    if (!loop_.releasing()) return loop_.hold(*this);
    released_at = std::chrono::steady_clock::now();
    loop_.stop();
  }
  void go_on() override {}
  int flushes = 0;
  SteadyTime released_at{};

 private:
  Loop& loop_;
};

class Listening final : public Peer {
 public:
  explicit Listening(std::function<void()> told) : told_(std::move(told)) {}
  void on_ready(std::uint32_t /*events*/) override { told_(); }
  void on_deadline(SteadyTime /*now*/) override {}
  void flush() override {}
  void go_on() override {}

 private:
  std::function<void()> told_;
};

}  // namespace

TEST_CASE("calls of one thread are made in their order, in the loop's thread") {
  Loop loop(kBudget);
  std::vector<int> made;
  bool elsewhere = false;
  std::thread thread([&] { loop.run(); });
  const auto its = thread.get_id();
  for (int i = 0; i < 1000; ++i) {
    loop.post([&, i] {
      made.push_back(i);
      elsewhere |= std::this_thread::get_id() != its;
    });
  }
  loop.post([&] { loop.stop(); });
  thread.join();
  CHECK_FALSE(elsewhere);
  REQUIRE(made.size() == 1000);
  for (int i = 0; i < 1000; ++i) CHECK(made[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("no call of many threads is lost while the loop falls asleep and wakes up") {
  Loop loop(kBudget);
  std::atomic<int> made = 0;
  std::thread thread([&] { loop.run(); });
  std::vector<std::thread> others;
  for (int t = 0; t < 4; ++t) {
    others.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const int before = made.load();
        loop.post([&] { ++made; });
        if (i % 50 != 0) continue;
        while (made.load() <= before) std::this_thread::yield();  // it slept, and woke up
      }
    });
  }
  for (auto& other : others) other.join();
  loop.post([&] { loop.stop(); });
  thread.join();
  CHECK(made == 2000);
}

TEST_CASE("what may not be copied can be posted; what was not called goes with the loop at the latest") {
  auto owned = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = owned;
  {
    Loop loop(kBudget);
    loop.post([&loop] { loop.stop(); });
    loop.post([mine = std::make_unique<std::shared_ptr<int>>(std::move(owned))] { FAIL("after the stop"); });
    loop.run();
  }
  CHECK(watched.expired());
}

TEST_CASE("what was posted before a peer became ready is done before the peer is told") {
  Loop loop(kBudget);
  Mailbox socket;  // its bell is one that can be made readable
  bool posted = false;
  bool was_posted = false;
  Listening peer([&] {
    was_posted = posted;
    loop.stop();
  });
  REQUIRE(loop.poller().add(socket.bell(), peer, false));
  loop.post([&] { posted = true; });
  socket.put([] {});
  loop.run();
  CHECK(was_posted);
}

TEST_CASE("a peer that is destroyed by what was posted is told nothing, though it is ready") {
  Loop loop(kBudget);
  Mailbox socket;
  bool told = false;
  auto peer = std::make_unique<Listening>([&] { told = true; });
  REQUIRE(loop.poller().add(socket.bell(), *peer, false));
  loop.post([&] {
    loop.poller().remove(socket.bell(), *peer);
    loop.bury(std::move(peer));
  });
  socket.put([] {});
  Waker waker(loop);  // ends the loop when all that was ready has been told
  loop.deadlines().no_later_than(waker, std::chrono::steady_clock::now());
  loop.run();
  CHECK_FALSE(told);
}

TEST_CASE("a loop without anything to do sleeps") {
  Loop loop(kBudget);
  std::thread thread([&] { loop.run(); });
  timespec used{};
  std::this_thread::sleep_for(50ms);
  clockid_t its = 0;
  REQUIRE(pthread_getcpuclockid(thread.native_handle(), &its) == 0);
  REQUIRE(clock_gettime(its, &used) == 0);
  loop.post([&] { loop.stop(); });
  thread.join();
  CHECK(used.tv_sec == 0);
  CHECK(used.tv_nsec < 25'000'000);
}

TEST_CASE("a deadline wakes a loop in which nothing else happens, and not too early") {
  Loop loop(kBudget);
  Waker waker(loop);
  const SteadyTime due = std::chrono::steady_clock::now() + 20ms;
  loop.deadlines().no_later_than(waker, due);
  loop.run();
  CHECK(waker.woken_at >= due);
}

TEST_CASE("who is to go on does so in the next turns, and is flushed once at the end of one") {
  Loop loop(kBudget);
  Counting peer(loop);
  loop.post([&] {
    loop.again(peer);
    loop.flush_client_later(peer);
    loop.flush_client_later(peer);
  });
  loop.run();
  CHECK(peer.turns == 3);
  CHECK(peer.flushes == 1);
}

TEST_CASE("who is held is flushed again soon, unless it has been let go or is gone by then") {
  Loop loop(kBudget);
  Holding held(loop);
  Holding free(loop);
  auto gone = std::make_unique<Holding>(loop);
  const SteadyTime begun = std::chrono::steady_clock::now();
  loop.post([&] {
    for (Peer* peer : {static_cast<Peer*>(&free), static_cast<Peer*>(gone.get()), static_cast<Peer*>(&held)})
      loop.flush_client_later(*peer);
  });
  loop.post([&] {
    loop.let_go(free);
    loop.let_go(free);
    loop.bury(std::move(gone));
  });
  loop.run();
  CHECK(held.flushes == 2);
  CHECK(free.flushes == 1);
  CHECK(held.released_at - begun >= Loop::kHoldMost);
}
