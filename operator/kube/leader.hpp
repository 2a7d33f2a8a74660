// Leader election on a Lease (coordination.k8s.io/v1), as client-go does it: 15 s / 10 s / 2 s. Clocks of
// machines are never compared: another's lease has run out when it has not changed for its duration as seen
// from here. Two leaders never act at once: is_leader() turns false by the clock alone, 5 s before anyone
// else may take over.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "operator/kube/client.hpp"

namespace ambassador::kube {

struct LeaderOptions {
  std::string name_space;
  std::string name = "ambassador-operator";
  std::string identity;  // unique per process: Pod name and a random part
  std::chrono::milliseconds lease_duration{std::chrono::seconds(15)};
  std::chrono::milliseconds renew_deadline{std::chrono::seconds(10)};
  std::chrono::milliseconds retry_period{std::chrono::seconds(2)};
};

struct LeaderCallbacks {
  /// Called on the elector's thread: start the workers and return at once (renewing waits for it).
  std::function<void()> started;
  /// Leadership is gone (lost or being given up): stop the workers, wait for them, return. The lease is
  /// released after.
  std::function<void()> stopped;
  /// Somebody else was seen to lead (for logs); may be empty.
  std::function<void(const std::string& identity)> observed = {};
};

class LeaderElector {
 public:
  LeaderElector(const Client& client, LeaderOptions options, LeaderCallbacks callbacks);
  ~LeaderElector();  // stops
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  void start();
  /// Stops leading, releases the lease (so that another takes over within retry_period), ends the thread.
  void stop();

  /// True only while the last renewal is younger than renew_deadline. To be asked right before every write
  /// that only a leader may make; a process that slept (SIGSTOP, a paused VM) gets false here before anything
  /// else.
  [[nodiscard]] bool is_leader() const;
  /// How often leadership was gained.
  [[nodiscard]] std::uint64_t terms() const { return terms_; }

 private:
  using Clock = std::chrono::steady_clock;
  void run(std::stop_token stop);
  bool try_acquire_or_renew(std::stop_token stop);
  void release();

  const Client& client_;
  const LeaderOptions options_;
  const LeaderCallbacks callbacks_;
  Object observed_;                  // the lease as last seen
  Clock::time_point observed_at_{};  // when its record last changed, by our clock
  std::string observed_holder_;
  std::atomic<Clock::rep> leads_until_{0};
  std::atomic<std::uint64_t> terms_{0};
  std::jthread thread_;
};

}  // namespace ambassador::kube
