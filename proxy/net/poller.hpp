// Readiness of a worker's sockets: an epoll set of its own, edge-triggered, each socket registered once. The
// worker sleeps in it. Asio's own async_wait costs one epoll_ctl, one queued operation and two locks per
// readiness; this costs one system call per turn, and shows where a turn ends, so that each peer is written
// once per turn. One worker's thread only.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "proxy/net/socket.hpp"

namespace ambassador::proxy::net {

/// Who is told of a socket's readiness.
class Pollable {
 public:
  /// `events` as epoll gives them. What is told once is not told again: it is to be remembered until the
  /// socket says EAGAIN. May be called with nothing to do; never after remove().
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

class Poller {
 public:
  Poller();

  /// Tells `who` when `socket` is readable, or, with `writing`, writable too. False when the kernel refuses.
  [[nodiscard]] bool add(const Socket& socket, Pollable& who, bool writing);
  /// Changes whether writability is told; tells at once if it is writable now.
  void want_writing(const Socket& socket, Pollable& who, bool writing);
  /// `who` may be destroyed then.
  void remove(const Socket& socket, const Pollable& who);

  /// Waits so long at most until something is ready. Negative: for as long as it takes.
  void wait(std::chrono::milliseconds most);
  /// Tells all who are ready, in the order in which they became so.
  void tell();
  /// Nobody of those is told any more.
  void forget() { ready_ = 0; }

 private:
  static constexpr int kEvents = 128;  // per call: as many as one turn handles before it writes
  Socket set_;
  epoll_event events_[kEvents];
  std::size_t ready_ = 0;  // of `events_`
};

}  // namespace ambassador::proxy::net
