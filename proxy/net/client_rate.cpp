// A client that asks more often than it may is not read until it may ask again: its requests wait in its
// socket, and TCP holds it back.
#include "proxy/net/client.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

// Asked before each message of a listener with a rate. A message that has begun is read to its end.
bool Client::throttled() {
  if (stream_ != Stream::none || group_open_) return false;
  const SteadyTime now = loop().now();
  const SteadyTime next = bucket_.next(relay_.rate());
  if (next <= now) {
    end_throttling();
    return false;
  }
  if (throttled_since_ == SteadyTime::max()) {
    throttled_since_ = now;
    ++throttles_;
    relay_.counters().throttles.add();
  }
  loop().deadlines().no_later_than(*this, next);
  return true;
}

void Client::end_throttling() {
  if (throttled_since_ == SteadyTime::max()) return;
  active_ = loop().now();  // it has something to say
  const auto waited = active_ - std::exchange(throttled_since_, SteadyTime::max());
  relay_.counters().throttled_microseconds.add(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(waited).count()));
}

void Client::rate_changed() {
  if (closed_) return;
  bucket_ = {};
  end_throttling();
  read_on_if_stopped();
}

}  // namespace ambassador::proxy::net
