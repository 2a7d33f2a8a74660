// A primary and two replicas of it, and clients that write all the time.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "test/component/proxy/app/proxy_process.hpp"

struct Trio {
  RedisServer s0, s1, s2;

  Trio() {
    s1.follow(s0);
    s2.follow(s0);
  }
  [[nodiscard]] std::vector<OnPort> all() const { return {&s0, &s1, &s2}; }
};

/// Clients that write, each its own key, one number after the other, and notice every error. Where they count
/// they notice every number, too, that is missing from what they are told: every write that is gone.
class Writers {
 public:
  enum class By { setting, counting };
  static constexpr int kClients = 8;
  /// When a server dies: what was on its way, and, where it dies so slowly that it takes a new connection
  /// before it is gone (a machine that does other work), what went there, too. test/faults holds each client
  /// to one.
  static constexpr int kMostErrors = 2 * kClients;

  explicit Writers(std::uint16_t port, By by = By::counting) : by_(by) {
    for (int i = 0; i < kClients; ++i)
      threads_.emplace_back([this, port, i] { write(port, "k" + std::to_string(i)); });
  }
  ~Writers() { stop(); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;
  void stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  [[nodiscard]] long done() const { return done_; }
  [[nodiscard]] long errors() const { return errors_; }
  [[nodiscard]] std::string error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }
  /// Each of them has done so many more.
  [[nodiscard]] bool go_on(long more = 50) {
    std::vector<long> then(done_each_.begin(), done_each_.end());
    return eventually([&] {
      for (std::size_t i = 0; i < then.size(); ++i) {
        if (done_each_[i] < then[i] + more) return false;
      }
      return true;
    });
  }

 private:
  void write(std::uint16_t port, const std::string& key) {
    RedisClient client(port);
    auto& mine = done_each_[static_cast<std::size_t>(key.back() - '0')];
    for (long n = 1; !stopping_; ++n) {
      const std::string number = std::to_string(n);
      const std::string reply =
          by_ == By::counting ? client.ask({"INCR", key}) : client.ask({"SET", key, number});
      if (reply == (by_ == By::counting ? number : "OK")) {
        ++done_;
        ++mine;
        continue;
      }
      ++errors_;
      {
        const std::lock_guard lock(mutex_);
        error_ = reply + " for " + number;
      }
      if (!client.connected()) return;
    }
  }

  const By by_;
  std::atomic<bool> stopping_{false};
  std::atomic<long> done_{0}, errors_{0};
  std::array<std::atomic<long>, kClients> done_each_{};
  std::mutex mutex_;
  std::string error_;
  std::vector<std::thread> threads_;
};
