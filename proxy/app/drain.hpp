// When a proxy that was told to end may end: a state without clock or socket. The application may still be at
// work when SIGTERM comes, so clients are served until none has been there for a while, or the time is up.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace ambassador::proxy::app {

/// So long without any client, and the application is taken to have left.
inline constexpr std::chrono::milliseconds kNobodyFor{3000};
/// What is in flight when the time is up gets so much longer.
inline constexpr std::chrono::milliseconds kFinish{1500};

class Drain {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Step { serve, finish, exit };

  /// `patience`: how long clients are served from `now` on at most (drainTimeout).
  Drain(Time now, std::chrono::milliseconds patience) : begun_(now), alone_since_(now), patience_(patience) {}

  /// What to do now that `clients` are connected: serve goes on accepting; finish closes each client once
  /// nothing is in flight for it; exit ends the process.
  Step step(std::size_t clients, Time now) {
    if (clients > 0) {
      alone_since_.reset();
    } else if (!alone_since_) {
      alone_since_ = now;
    }
    if (finishing_since_) {
      return clients == 0 || now - *finishing_since_ >= kFinish ? Step::exit : Step::finish;
    }
    if (alone_since_ && now - *alone_since_ >= kNobodyFor) {
      return Step::exit;
    }
    if (now - begun_ >= patience_) {
      finishing_since_ = now;
      return clients == 0 ? Step::exit : Step::finish;
    }
    return Step::serve;
  }

 private:
  Time begun_;
  std::optional<Time> alone_since_;
  std::optional<Time> finishing_since_;
  std::chrono::milliseconds patience_;
};

}  // namespace ambassador::proxy::app
