// What a connection's bytes go over: a socket, and TLS on it where that was started. Same contract as Socket,
// so that who reads and writes need not know which. One worker's thread only.
#pragma once

#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "proxy/net/socket.hpp"

namespace ambassador::proxy::net {

class Transport {
 public:
  using Tls = std::unique_ptr<SSL, void (*)(SSL*)>;
  /// The most that one write encrypts: a TLS record.
  static constexpr std::size_t kRecord = std::size_t{16} * 1024;

  Transport() = default;
  explicit Transport(Socket socket) : socket_(std::move(socket)) {}

  [[nodiscard]] const Socket& socket() const { return socket_; }
  explicit operator bool() const { return static_cast<bool>(socket_); }

  /// From now on all bytes are encrypted; `tls` is in connect or accept state. handshake() comes next.
  void start(Tls tls);
  enum class Handshake : std::uint8_t { done, pending, failed };
  /// Call again when the socket is readable, or writable if wants_writing().
  [[nodiscard]] Handshake handshake();
  [[nodiscard]] bool encrypted() const { return static_cast<bool>(tls_); }
  /// Why the handshake failed, or receive or send with -EPROTO.
  [[nodiscard]] std::string why() const;
  /// It failed because the peer's certificate is not to be believed: trying again won't help soon.
  [[nodiscard]] bool distrusted() const { return distrusted_; }
  /// RFC 5929 tls-server-end-point; empty: not known.
  [[nodiscard]] std::string server_end_point() const;

  /// As Socket's. TLS may have to write to be able to read and the other way round: after -EAGAIN,
  /// wants_writing() and wants_reading() say what the last call of either waits for.
  [[nodiscard]] std::ptrdiff_t receive(char* at, std::size_t n);
  [[nodiscard]] std::ptrdiff_t send(std::span<const iovec> pieces);
  [[nodiscard]] bool wants_writing() const { return receive_wants_writing_; }
  [[nodiscard]] bool wants_reading() const { return send_wants_reading_; }
  /// What `events` of epoll mean to who receives (EPOLLIN) and who sends (EPOLLOUT), either of whom may have
  /// waited for the other's direction.
  [[nodiscard]] std::uint32_t meaning(std::uint32_t events) const {
    std::uint32_t meant = events;
    if ((events & EPOLLOUT) != 0 && receive_wants_writing_) meant |= EPOLLIN;
    if ((events & EPOLLIN) != 0 && send_wants_reading_) meant |= EPOLLOUT;
    return meant;
  }
  /// A receive that got `n` of `room` bytes has emptied the socket.
  [[nodiscard]] bool emptied(std::size_t n, std::size_t room) const { return !tls_ && n < room; }

  /// Tells the peer that this is a peaceful end (close-notify), if that can be done without waiting.
  void close();

 private:
  [[nodiscard]] std::ptrdiff_t outcome(int result, bool sending);

  Socket socket_;
  Tls tls_{nullptr, SSL_free};
  bool server_ = false;
  bool up_ = false;  // the handshake is done
  bool broken_ = false;
  bool distrusted_ = false;
  bool receive_wants_writing_ = false;
  bool send_wants_reading_ = false;
  std::string why_;
};

}  // namespace ambassador::proxy::net
