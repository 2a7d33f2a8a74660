#include "proxy/net/connecting.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

namespace ambassador::proxy::net {
namespace {

/// However many addresses there are, each gets this much time to answer.
constexpr std::chrono::milliseconds kLeastAttempt{200};
/// A connection is probed after this long without traffic...
constexpr std::chrono::seconds kKeepalive{5};
/// ...and unacknowledged data ends it: a host that vanished must show within seconds, not minutes.
constexpr std::chrono::milliseconds kUnacknowledged{2'500};

}  // namespace

SteadyTime::duration pause_after(unsigned failures) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const double jitter = std::uniform_real_distribution<double>(0.75, 1.25)(random);
  const unsigned doublings = std::min(std::max(failures, 1U) - 1, 5U);
  return std::chrono::duration_cast<SteadyTime::duration>(
      std::min(kLongestPause, kFirstPause * (1 << doublings)) * jitter);
}

Connecting::State Connecting::begin(const Upstream& upstream, std::size_t first,
                                    std::chrono::milliseconds within) {
  round_ = upstream.addresses();
  since_ = loop_.now();
  if (round_->empty()) {
    why_ = "no address is known for " + upstream.backend().host;
    return State::failed;
  }
  next_ = first % round_->size();
  left_ = round_->size();
  each_ = std::max(within / static_cast<std::chrono::milliseconds::rep>(round_->size()), kLeastAttempt);
  return next();
}

Connecting::State Connecting::next() {
  while (left_ > 0) {
    --left_;
    address_ = (*round_)[next_++ % round_->size()];
    socket_ = Socket::stream(address_.family());
    int error = socket_ ? socket_.connect(address_) : errno;
    if (error == 0 || error == EINPROGRESS) {
      if (loop_.poller().add(socket_, owner_, true)) {
        if (error == 0) return State::connected;
        until_ = loop_.now() + each_;
        loop_.deadlines().no_later_than(owner_, until_);
        return State::pending;
      }
      error = errno;
    }
    why_ = address_.text() + ": " + std::strerror(error);
    socket_.close();
  }
  return State::failed;
}

Connecting::State Connecting::ready(std::uint32_t events) {
  const int error = socket_.error();
  if (error != 0) return refused(error);
  if ((events & EPOLLOUT) == 0) return State::pending;
  // Connecting to a port of the own range can meet itself (RFC 793, simultaneous open): that is no server.
  if (socket_.connected_to_itself()) return refused(ECONNREFUSED);
  return State::connected;
}

Connecting::State Connecting::late(SteadyTime now) {
  if (now >= until_) return refused(ETIMEDOUT);
  loop_.deadlines().no_later_than(owner_, until_);
  return State::pending;
}

Connecting::State Connecting::refused(int error) {
  why_ = address_.text() + ": " + std::strerror(error);
  stop();
  return next();
}

void Connecting::stop() {
  if (!socket_) return;
  loop_.poller().remove(socket_, owner_);
  socket_.close();
}

Socket Connecting::take() {
  socket_.tune(kKeepalive);
  socket_.give_up_after(kUnacknowledged);
  return std::move(socket_);
}

std::chrono::microseconds Connecting::took() const {
  // Not the turn's time: connecting to the own host is over before the turn is.
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - since_);
}

}  // namespace ambassador::proxy::net
