// What every reconciler needs in order to act: the way to the API server, and the question asked right before
// each write: do we still lead? Plain values; shared by all workers.
#pragma once

#include <functional>
#include <stop_token>

#include "operator/kube/client.hpp"
#include "operator/kube/event_recorder.hpp"

namespace ambassador::controller {

/// A write must be over before another replica may lead: lease duration less renew deadline
/// (kube/leader.hpp).
inline constexpr std::chrono::seconds kWriteTimeout{4};

struct Acting {
  const kube::Client& client;
  kube::EventRecorder& events;
  std::function<bool()> leads;

  [[nodiscard]] kube::WriteOptions write(std::stop_token stop) const {
    kube::WriteOptions options;
    options.timeout = kWriteTimeout;
    options.stop = std::move(stop);
    return options;
  }
};

}  // namespace ambassador::controller
