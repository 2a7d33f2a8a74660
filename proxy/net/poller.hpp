// Readiness of a worker's sockets: an epoll set of its own, edge-triggered, each socket registered once. The
// worker sleeps in it. Asio's own async_wait costs one epoll_ctl, one queued operation and two locks per
// readiness; this costs one system call per turn, and shows where a turn ends, so that each peer is written
// once per turn. One worker's thread only.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <span>

#include "proxy/net/socket.hpp"

namespace ambassador::proxy::net {

/// Who is told of a socket's readiness.
class Pollable {
 public:
  /// `events` as epoll gives them. What is told once is not told again: it is to be remembered until the
  /// socket says EAGAIN. May be called with nothing to do; never after remove() in the same turn either, if
  /// the object checks that it still has a socket.
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
  void remove(const Socket& socket);

  /// What is ready; waits for it so long at most. Negative: for as long as it takes.
  [[nodiscard]] std::span<epoll_event> wait(std::chrono::milliseconds most);

 private:
  static constexpr int kEvents = 128;  // per call: as many as one turn handles before it writes
  Socket set_;
  epoll_event events_[kEvents];
};

}  // namespace ambassador::proxy::net
