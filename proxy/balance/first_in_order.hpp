// Failover: which one of several backends, in order of preference, everybody uses now. A backend that is not
// usable is left at once for the first usable one; an earlier backend is gone back to only when it has been
// usable for kHoldOff without a break, so that one that flaps moves nobody twice. Used by the implementation
// of Availability::preferred (proxy/net). Pure: the time is passed in. Not thread-safe; one per listener and
// worker.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "proxy/session/session.hpp"

namespace ambassador::proxy::balance {

class FirstInOrder {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// How long an earlier backend must have been usable before clients go back to it.
  static constexpr std::chrono::seconds kHoldOff{10};

  explicit FirstInOrder(std::size_t backends) : usable_since_(backends, kNotUsable) {}

  /// The backend to use at `now`; kNoBackend when none is usable. `usable(BackendIndex) -> bool` says how
  /// each is now. What the backends did between two calls is not known: call it whenever a backend's state
  /// changed, or for each request (it is a short loop). `now` never goes back.
  template <class Usable>
  BackendIndex choose(Usable&& usable, Time now) {
    BackendIndex first = kNoBackend;    // the first usable one
    BackendIndex settled = kNoBackend;  // the first that has been usable for long enough
    for (BackendIndex i = 0; i < usable_since_.size(); ++i) {
      if (!usable(i)) {
        usable_since_[i] = kNotUsable;
        continue;
      }
      if (usable_since_[i] == kNotUsable) usable_since_[i] = now;
      if (first == kNoBackend) first = i;
      if (settled == kNoBackend && now - usable_since_[i] >= kHoldOff) settled = i;
    }
    if (current_ == kNoBackend || usable_since_[current_] == kNotUsable) {
      current_ = first;  // nothing to stay with
    } else if (settled < current_) {
      current_ = settled;
    }
    return current_;
  }

 private:
  static constexpr Time kNotUsable = Time::max();
  std::vector<Time> usable_since_;
  BackendIndex current_ = kNoBackend;
};

}  // namespace ambassador::proxy::balance
