// Threads that take keys from a WorkQueue and give them to a reconciler, for one term of leadership. Counts
// and times what happens, under controller-runtime's names.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "operator/kube/work_queue.hpp"

namespace ambassador::metrics {
class Sheet;
}

namespace ambassador::controller {

/// What a reconciler says about a key.
struct Verdict {
  enum class Kind {
    done,   // until something changes
    retry,  // it failed: later and later
    after   // look again after `pause`, without it having failed
  };
  Kind kind = Kind::done;
  std::chrono::milliseconds pause{0};

  static Verdict done() { return {}; }
  static Verdict retry() { return {Kind::retry, {}}; }
  static Verdict after(std::chrono::milliseconds pause) { return {Kind::after, pause}; }
};

/// Called on a worker's thread, never for the same key on two at once. The token ends the term.
using Reconcile = std::function<Verdict(const std::string& key, std::stop_token stop)>;

class Workers {
 public:
  Workers(std::string name, unsigned threads, Reconcile reconcile);
  ~Workers();  // ends the term

  /// The queue takes keys only during a term; what is added outside of one is forgotten.
  [[nodiscard]] kube::WorkQueue& queue() { return queue_; }

  void begin_term();
  /// Ends the threads at once: calls under way are cancelled, what waits is dropped.
  void end_term();

  void collect(metrics::Sheet& sheet) const;

 private:
  void work(const std::stop_token& stop);
  void reconcile(const std::string& key, const std::stop_token& stop);

  kube::WorkQueue queue_;
  const unsigned count_;
  const Reconcile reconcile_;
  std::stop_source stop_;
  std::vector<std::jthread> threads_;
  std::atomic<std::uint64_t> succeeded_{0};
  std::atomic<std::uint64_t> requeued_{0};
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace ambassador::controller
