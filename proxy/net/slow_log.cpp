#include "proxy/net/slow_log.hpp"

#include <cassert>

namespace ambassador::proxy::net {

void SlowLog::limit(const SlowLimits& limits) {
  most_ = limits.size;
  threshold_ = most_ == 0 ? std::chrono::microseconds::max() : limits.threshold;
  while (requests_.size() > most_) requests_.pop();
  if (most_ == 0) requests_.release();
}

SlowRequest& SlowLog::add() {
  assert(most_ > 0);
  if (requests_.size() == most_) requests_.pop();
  return requests_.push();
}

void SlowLog::list(std::vector<SlowRequest>& out) const {
  for (std::size_t i = 0; i < requests_.size(); ++i) out.push_back(requests_[i]);
}

}  // namespace ambassador::proxy::net
