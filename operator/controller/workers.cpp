#include "operator/controller/workers.hpp"

#include "common/log/log.hpp"
#include "common/metrics/metrics.hpp"

namespace ambassador::controller {

Workers::Workers(std::string name, unsigned threads, Reconcile reconcile)
    : queue_(std::move(name)), count_(threads), reconcile_(std::move(reconcile)) {
  queue_.shut_down();
}

Workers::~Workers() {
  end_term();
}

void Workers::begin_term() {
  stop_ = std::stop_source();
  queue_.reset();
  for (unsigned i = 0; i < count_; ++i) {
    threads_.emplace_back([this, stop = stop_.get_token()] { work(stop); });
  }
}

void Workers::end_term() {
  stop_.request_stop();
  queue_.shut_down();
  threads_.clear();  // joins
}

void Workers::work(const std::stop_token& stop) {
  while (const auto key = queue_.get()) {
    if (!stop.stop_requested()) reconcile(*key, stop);  // else the queue is drained
    queue_.done(*key);
  }
}

void Workers::reconcile(const std::string& key, const std::stop_token& stop) {
  Verdict verdict = Verdict::retry();
  try {
    verdict = reconcile_(key, stop);
  } catch (const std::exception& failure) {
    // A document that nobody foresaw must not end the operator, only this key's turn.
    log::error("reconcile failed", {{"controller", queue_.name()}, {"key", key}, {"error", failure.what()}});
  }
  switch (verdict.kind) {
    case Verdict::Kind::done:
      queue_.forget(key);
      ++succeeded_;
      break;
    case Verdict::Kind::retry:
      queue_.add_rate_limited(key);
      ++failed_;
      break;
    case Verdict::Kind::after:
      queue_.forget(key);
      queue_.add_after(key, verdict.pause);
      ++requeued_;
      break;
  }
}

void Workers::collect(metrics::Sheet& sheet) const {
  const auto& name = queue_.name();
  const auto seconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  const auto count = [](auto value) { return static_cast<double>(value); };
  for (const auto& [result, total] : {std::pair<const char*, std::uint64_t>{"success", succeeded_},
                                      {"requeue_after", requeued_},
                                      {"error", failed_}}) {
    sheet.counter("controller_runtime_reconcile_total", "Reconciliations by controller and result",
                  {{"controller", name}, {"result", result}}, count(total));
  }
  const auto now = queue_.statistics();
  const metrics::Labels labels = {{"name", name}};
  sheet.gauge("workqueue_depth", "Keys that wait for a worker", labels, count(now.depth));
  sheet.counter("workqueue_adds_total", "Keys added", labels, count(now.adds));
  sheet.counter("workqueue_retries_total", "Keys added again after a failure", labels, count(now.retries));
  sheet.gauge("workqueue_longest_running_processor_seconds",
              "How long the longest running worker is at its key", labels, seconds(now.longest_running));
  sheet.gauge("workqueue_unfinished_work_seconds",
              "How long all running workers are at their keys, summed up", labels, seconds(now.running));
  sheet.histogram("workqueue_queue_duration_seconds", "How long keys waited", labels,
                  now.queue_times.cumulative(), now.queue_times.count, seconds(now.queue_times.sum));
  sheet.histogram("workqueue_work_duration_seconds", "How long keys were worked on", labels,
                  now.work_times.cumulative(), now.work_times.count, seconds(now.work_times.sum));
}

}  // namespace ambassador::controller
