// A file descriptor of a socket, and the few calls on it that the relay makes. Non-blocking throughout;
// errors are errno values. Any thread, one at a time.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>

#include "proxy/net/address.hpp"

namespace ambassador::proxy::net {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() { close(); }
  void close();

  [[nodiscard]] int fd() const { return fd_; }
  /// The same connection once more: the peer sees its end when the last of them is closed. Empty (errno set)
  /// when there is none to be had.
  [[nodiscard]] Socket duplicate() const;
  explicit operator bool() const { return fd_ >= 0; }

  /// A non-blocking stream socket; empty (errno set) when there is none to be had.
  static Socket stream(int family);
  /// Two that are connected to each other; both empty (errno set) when there are none to be had.
  static std::pair<Socket, Socket> connected_pair();

  /// 0: connected at once; EINPROGRESS; or why not.
  [[nodiscard]] int connect(const Address& address) const;
  /// Takes the pending error (SO_ERROR).
  [[nodiscard]] int error() const;

  /// The kernel connected the socket to its own port (nobody listened there).
  [[nodiscard]] bool connected_to_itself() const;

  /// Bytes moved; 0 from receive is the peer's end; negative: -errno (-EAGAIN when it would block).
  [[nodiscard]] std::ptrdiff_t receive(char* at, std::size_t n) const;
  /// The first byte that receive would give; it stays there. 1, or what else receive would say.
  [[nodiscard]] std::ptrdiff_t peek(char& first) const;
  [[nodiscard]] std::ptrdiff_t send(std::span<const iovec> pieces) const;
  void end_of_writing() const;
  /// What is in flight is thrown away and the peer gets a reset when this is closed.
  void reset_on_close() const;

  /// TCP_NODELAY; keepalive probes after `idle`, then every second, three times. Nothing for Unix sockets.
  void tune(std::chrono::seconds keepalive_idle) const;
  /// Data that the peer's host does not acknowledge for so long ends the connection (RFC 5482).
  void give_up_after(std::chrono::milliseconds unacknowledged) const;

 private:
  int fd_ = -1;
};

}  // namespace ambassador::proxy::net
