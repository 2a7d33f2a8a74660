// One configuration of one listener as one worker uses it: the core, and the backends that its BackendIndex
// means. Made on the control thread, then given to the worker; immutable from then on. A client keeps the
// generation of its last message until its next one, so that an index is never looked up in another list than
// the one it was chosen from.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/config/document.hpp"
#include "common/tls/source.hpp"
#include "proxy/balance/first_in_order.hpp"
#include "proxy/net/client_numbers.hpp"
#include "proxy/net/clock.hpp"
#include "proxy/net/counters.hpp"
#include "proxy/net/tls_client.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/session/pooled.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

/// What the core of one worker sees of its backends' health.
class UpstreamAvailability final : public Availability {
 public:
  /// `clock`: the worker's, for its thread.
  UpstreamAvailability(Upstreams upstreams, std::function<SteadyTime()> clock)
      : upstreams_(std::move(upstreams)), clock_(std::move(clock)), first_(upstreams_.size()) {}
  [[nodiscard]] bool usable(BackendIndex backend) const override { return usable_at(backend, clock_()); }
  [[nodiscard]] BackendIndex preferred() const override {
    const SteadyTime now = clock_();
    return first_.choose([&](BackendIndex backend) { return usable_at(backend, now); }, now);
  }
  // Of two with equal rights, the one that it was before.
  [[nodiscard]] BackendIndex primary() const override {
    const SteadyTime now = clock_();
    const auto is_it = [&](BackendIndex one) {
      return usable_at(one, now) && leads(upstreams_, *upstreams_[one]);
    };
    if (is_it(primary_)) return primary_;
    for (BackendIndex i = 0; i < upstreams_.size(); ++i) {
      if (is_it(i)) return primary_ = i;
    }
    return kNoBackend;
  }
  [[nodiscard]] bool follows(BackendIndex backend, std::chrono::milliseconds behind) const override {
    const SteadyTime now = clock_();
    if (!usable_at(backend, now) || upstreams_[backend]->role() != Role::replica) return false;
    const auto lag = upstreams_[backend]->most_lag(now);
    return lag && *lag <= behind;
  }
  [[nodiscard]] std::chrono::microseconds distance(BackendIndex backend) const override {
    return upstreams_[backend]->distance();
  }

 private:
  [[nodiscard]] bool usable_at(BackendIndex backend, SteadyTime now) const {
    return backend < upstreams_.size() && upstreams_[backend]->usable(now);
  }

  const Upstreams upstreams_;
  const std::function<SteadyTime()> clock_;
  mutable balance::FirstInOrder first_;
  mutable BackendIndex primary_ = kNoBackend;
};

/// Clients of a listener that are open, over all workers: counted up by who accepts, down by who closes.
struct OpenClients {
  std::atomic<std::uint32_t> count{0};
};

/// The core of one listener and worker, of either kind: one of the two is there. Two pointers, and not a
/// variant of them: each relay knows which one is its own, and reads it without asking.
struct Core {
  Core() = default;
  Core(std::shared_ptr<const ProtocolCore> core)  // NOLINT(google-explicit-constructor)
      : exchanges(std::move(core)) {}
  Core(std::shared_ptr<const PooledCore> core)  // NOLINT(google-explicit-constructor)
      : pooled(std::move(core)) {}
  std::shared_ptr<const ProtocolCore> exchanges;
  std::shared_ptr<const PooledCore> pooled;
};

struct Generation {
  config::Listener config;
  Upstreams upstreams;  // indexed by BackendIndex, as all below
  std::vector<std::shared_ptr<BackendCounters>> counters;
  std::shared_ptr<ListenerCounters> listener_counters;
  std::shared_ptr<const ProtocolCore> core;        // of a Relay; keeps its Availability alive
  std::shared_ptr<const TlsClient> tls;            // to servers; null: disabled
  std::shared_ptr<const tls::Source> certificate;  // to clients; null: none
  // Of a PooledRelay:
  std::shared_ptr<const PooledCore> pooled;
  unsigned server_connections = 0;         // this worker's share of the pool
  bool watched = false;                    // the servers are asked for their standing...
  bool watches = false;                    // ...by this worker
  std::shared_ptr<ClientNumbers> numbers;  // of all the listener's workers
};

}  // namespace ambassador::proxy::net
