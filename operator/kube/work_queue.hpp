// The queue between "something changed" and "look at it": a key is in it at most once, is worked on by one
// worker at a time, and comes back later and later while it fails (client-go's workqueue). Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ambassador::kube {

struct WorkQueueOptions {
  std::chrono::milliseconds backoff_base{50};
  /// Everything must have caught up 30 s after a long outage: no key waits longer than half of that.
  std::chrono::milliseconds backoff_cap{std::chrono::seconds(15)};
  /// Over all keys: at most `burst` retries at once and `per_second` after that.
  double per_second = 50;
  double burst = 200;
};

/// A histogram of times, in buckets that reach from a quick reconcile to a stuck one.
struct Times {
  static constexpr std::array<double, 8> kBounds = {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60};  // seconds
  std::array<std::uint64_t, kBounds.size()> buckets{};  // each value in the first bucket that holds it
  std::uint64_t count = 0;
  std::chrono::nanoseconds sum{0};

  void add(std::chrono::nanoseconds time);
  /// Upper bound and how many values lie at or below it, as Prometheus wants it.
  [[nodiscard]] std::vector<std::pair<double, std::uint64_t>> cumulative() const;
};

/// Numbers as controller-runtime names them (workqueue_depth, workqueue_adds_total ...), for /metrics.
struct WorkQueueStatistics {
  std::size_t depth = 0;  // waiting for a worker, delayed ones not counted
  std::uint64_t adds = 0;
  std::uint64_t retries = 0;
  std::size_t in_work = 0;
  std::chrono::nanoseconds longest_running{0};
  std::chrono::nanoseconds running{0};  // all that are in work, summed up
  Times queue_times;
  Times work_times;
};

class WorkQueue {
 public:
  using Clock = std::chrono::steady_clock;
  explicit WorkQueue(std::string name, WorkQueueOptions options = {});

  /// Added while it is worked on: comes again after done().
  void add(const std::string& key);
  /// Not before `delay`. The earlier of two delays counts.
  void add_after(const std::string& key, std::chrono::milliseconds delay);
  /// It failed: base * 2^failures later, at most the cap.
  void add_rate_limited(const std::string& key);
  /// It went well: the next failure starts at the base again.
  void forget(const std::string& key);
  [[nodiscard]] int failures(const std::string& key) const;

  /// Waits for a key. nullopt once shut down and empty: the worker ends. Each key got must be given back by
  /// done().
  std::optional<std::string> get();
  void done(const std::string& key);

  /// Nothing is added any more; what waits is still handed out, what is delayed is dropped.
  void shut_down();
  /// Empties it, for the next term of a leader: also opens it again after shut_down(). No worker may be in
  /// get().
  void reset();

  /// Nothing waits, nothing is worked on; what is delayed does not count.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] WorkQueueStatistics statistics() const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  void add_locked(const std::string& key);
  void promote_due(Clock::time_point now);

  const std::string name_;
  const WorkQueueOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::map<std::string, Clock::time_point> queued_at_;  // keys in waiting_ or dirty while worked on
  std::map<std::string, Clock::time_point> working_;
  std::map<std::string, Clock::time_point> delayed_;
  std::set<std::pair<Clock::time_point, std::string>> by_time_;
  std::map<std::string, int> failures_;
  double tokens_;
  Clock::time_point refilled_;
  bool shut_down_ = false;
  WorkQueueStatistics sums_;
};

}  // namespace ambassador::kube
