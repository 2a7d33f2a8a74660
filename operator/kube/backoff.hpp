// Decorrelated jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): each pause is drawn between
// the floor and three times the pause before, at most the cap. Pure but for the random generator given in.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace ambassador::kube {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds floor, std::chrono::milliseconds cap, unsigned seed)
      : floor_(floor), cap_(cap), last_(floor), random_(seed) {}

  std::chrono::milliseconds next() {
    std::uniform_int_distribution<long> pick(floor_.count(), std::max(floor_.count(), last_.count() * 3));
    last_ = std::min(cap_, std::chrono::milliseconds(pick(random_)));
    return last_;
  }
  /// It worked: start over.
  void reset() { last_ = floor_; }

 private:
  std::chrono::milliseconds floor_;
  std::chrono::milliseconds cap_;
  std::chrono::milliseconds last_;
  std::minstd_rand random_;
};

}  // namespace ambassador::kube
