// What admission counts: reviews by result and reason, and how long they took.
// Threads: every member may be called by every thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "operator/inject/decide.hpp"

namespace ambassador::metrics {
class Metrics;
}

namespace ambassador::admission {

class Counts {
 public:
  explicit Counts(metrics::Metrics& metrics);
  ~Counts();
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;

  /// ambassador_operator_admission_requests_total{result, reason}: Pods. `reason` is decide()'s cause.
  void pod(inject::Outcome outcome, const std::string& reason, std::chrono::nanoseconds took);
  /// ambassador_operator_policy_reviews_total{result}: policies.
  void policy(bool allowed, std::chrono::nanoseconds took);
  /// ambassador_operator_live_reads_total{result}: looks at the API server on a miss.
  void live_read(bool answered);
  /// ambassador_operator_webhook_refused_total{code}: what was no review at all.
  void refused(unsigned status);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace ambassador::admission
