// Proves that the API server reaches the webhook: the dry run of a policy that only the webhook refuses. Any
// other end of it (created, time-out, x509 error) says that Pods are not being injected, and why. The leader
// asks every minute; the answer is a metric, a log line when it changes, and an Event.
//
// Threads: everything but start() and stop() may be called by every thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "operator/kube/client.hpp"

namespace ambassador::admission {

struct ReachabilityOptions {
  std::string name_space;  // the operator's own
  std::chrono::milliseconds interval{std::chrono::seconds(60)};
  /// After a failure the next look comes sooner.
  std::chrono::milliseconds retry{std::chrono::seconds(5)};
  /// Only while this says so (the leader asks, for all).
  std::function<bool()> wanted;
  /// When the answer has become another one, and for each further failure that is believed; on the thread
  /// that asks.
  std::function<void(bool reached, const std::string& why)> changed;
};

/// So many failures in a row are believed. Endpoints and CA bundles reach every node and API server a few
/// seconds after they changed, and one look in between says nothing.
inline constexpr int kBelievedFailures = 3;

class Reachability {
 public:
  Reachability(const kube::Client& client, ReachabilityOptions options);
  ~Reachability();  // stops
  Reachability(const Reachability&) = delete;
  Reachability& operator=(const Reachability&) = delete;

  void start();
  void stop();

  enum class State { unknown, reached, not_reached };
  /// Unknown where nobody has asked yet, and on replicas that do not lead.
  [[nodiscard]] State state() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ambassador::admission
