#include "proxy/net/counters.hpp"

namespace ambassador::proxy::net {
namespace {

void add(FailureCounts& out, const FailureCounters& counters) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += counters.of[i].get();
}

}  // namespace

void PoolCounters::add_to(PoolSnapshot& out) const {
  out.lent += lent.get();
  out.idle += idle.get();
  out.opening += opening.get();
  out.waiting += waiting.get();
  out.logins_failed += logins_failed.get();
  out.interruptions += interruptions.get();
  out.run_again += run_again.get();
  out.wait_time += wait_time.snapshot();
}

void MirrorCounters::add_to(MirrorSnapshot& out) const {
  out.copied += copied.get();
  out.dropped += dropped.get();
  out.failed += failed.get();
}

void ListenerCounters::add_to(ListenerSnapshot& out) const {
  out.clients_total += clients_total.get();
  out.clients_slow += clients_slow.get();
  out.clients_idle += clients_idle.get();
  out.clients_broken += clients_broken.get();
  out.requests += requests.get();
  out.replies += replies.get();
  out.slow_requests += slow_requests.get();
  out.throttles += throttles.get();
  out.throttled_time += std::chrono::microseconds(throttled_microseconds.get());
  out.bytes_received += bytes_received.get();
  out.bytes_sent += bytes_sent.get();
  add(out.failures, failures);
  pool.add_to(out.pool);
}

void BackendCounters::add_to(BackendSnapshot& out) const {
  out.lanes_open += lanes_open.get();
  out.waiting += waiting.get();
  out.owed += owed.get();
  out.queued_bytes += queued_bytes.get();
  out.requests += requests.get();
  out.replies += replies.get();
  out.bytes_sent += bytes_sent.get();
  out.bytes_received += bytes_received.get();
  out.connects += connects.get();
  out.connect_failures += connect_failures.get();
  out.lanes_lost += lanes_lost.get();
  add(out.failures, failures);
  out.connect_time += connect_time.snapshot();
  out.request_time += request_time.snapshot();
}

}  // namespace ambassador::proxy::net
