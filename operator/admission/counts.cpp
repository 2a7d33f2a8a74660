#include "operator/admission/counts.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "common/metrics/metrics.hpp"

namespace ambassador::admission {

namespace {
/// Seconds. The aim is a p99 below 5 ms; the API server gives up after 5 s.
const prometheus::Histogram::BucketBoundaries kBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                          0.1,    0.25,  0.5,    1.0,   2.5,  5.0};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}
}  // namespace

struct Counts::Families {
  explicit Families(prometheus::Registry& registry)
      : pods(prometheus::BuildCounter()
                 .Name("ambassador_operator_admission_requests_total")
                 .Help("Pods that the API server asked about, by what became of them and why.")
                 .Register(registry)),
        policies(prometheus::BuildCounter()
                     .Name("ambassador_operator_policy_reviews_total")
                     .Help("Policies that the API server asked about, by what became of them.")
                     .Register(registry)),
        live(prometheus::BuildCounter()
                 .Name("ambassador_operator_live_reads_total")
                 .Help("Looks at the API server for a policy that the cache did not know.")
                 .Register(registry)),
        refused(prometheus::BuildCounter()
                    .Name("ambassador_operator_webhook_refused_total")
                    .Help("Requests to the webhook that were no reviews, by HTTP status.")
                    .Register(registry)),
        durations(prometheus::BuildHistogram()
                      .Name("ambassador_operator_admission_duration_seconds")
                      .Help("Time from the end of the request to the answer.")
                      .Register(registry)),
        pod_time(durations.Add({{"webhook", "pods"}}, kBuckets)),
        policy_time(durations.Add({{"webhook", "policies"}}, kBuckets)) {}

  prometheus::Family<prometheus::Counter>& pods;
  prometheus::Family<prometheus::Counter>& policies;
  prometheus::Family<prometheus::Counter>& live;
  prometheus::Family<prometheus::Counter>& refused;
  prometheus::Family<prometheus::Histogram>& durations;
  prometheus::Histogram& pod_time;
  prometheus::Histogram& policy_time;
};

Counts::Counts(metrics::Metrics& metrics) : families_(std::make_unique<Families>(metrics.registry())) {}
Counts::~Counts() = default;

void Counts::pod(inject::Outcome outcome, const std::string& reason, std::chrono::nanoseconds took) {
  families_->pods.Add({{"result", std::string(inject::text(outcome))}, {"reason", reason}}).Increment();
  families_->pod_time.Observe(seconds(took));
}
void Counts::policy(bool allowed, std::chrono::nanoseconds took) {
  families_->policies.Add({{"result", allowed ? "Allowed" : "Denied"}}).Increment();
  families_->policy_time.Observe(seconds(took));
}
void Counts::live_read(bool answered) {
  families_->live.Add({{"result", answered ? "Answered" : "Failed"}}).Increment();
}
void Counts::refused(unsigned status) {
  families_->refused.Add({{"code", std::to_string(status)}}).Increment();
}

}  // namespace ambassador::admission
