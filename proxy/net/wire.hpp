// One end of a pooled connection: what it goes over, what was received and not consumed, what is to be sent,
// and what is remembered of readiness. Knows nothing of who is at the other side; PooledClient and
// ServerConnection each have one. One worker's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/net/loop.hpp"
#include "proxy/net/slices.hpp"
#include "proxy/net/transport.hpp"

namespace ambassador::proxy::net {

class Wire {
 public:
  /// Bytes that wait to be sent: above this the other side is not read...
  static constexpr std::size_t kHigh = std::size_t{256} * 1024;
  /// ...until no more than this are left.
  static constexpr std::size_t kLow = kHigh / 4;

  Wire(Loop& loop, Peer& owner) : loop_(loop), owner_(owner) {}

  /// Takes a connected socket. `known`: it is registered with the poller already, with writing.
  [[nodiscard]] bool open(Socket socket, bool known);
  void close();
  [[nodiscard]] bool is_open() const { return static_cast<bool>(transport_); }
  [[nodiscard]] const Socket& socket() const { return transport_.socket(); }

  /// What the poller said. True: there may be something to write again.
  bool told(std::uint32_t events);
  [[nodiscard]] bool readable() const { return readable_; }
  [[nodiscard]] bool hung_up() const { return hung_up_; }

  // Receiving --------------------------------------------------------------------------------------------
  /// Once, into input. Bytes; 0: the end; -EAGAIN; or another -errno.
  [[nodiscard]] std::ptrdiff_t receive();
  [[nodiscard]] std::string_view input() const { return input_.block ? input_.view() : std::string_view(); }
  [[nodiscard]] Block* block() const { return input_.block.get(); }
  void consume(std::size_t n) { input_.begin += static_cast<std::uint32_t>(n); }
  /// An idle connection holds no block.
  void release_if_empty() {
    if (input_.block && input_.size() == 0) input_.block.reset();
  }

  // Sending ----------------------------------------------------------------------------------------------
  Slices out;
  [[nodiscard]] bool full() const { return out.size() > kHigh; }
  /// Writes what it can. The bytes written, or -errno (never -EAGAIN).
  [[nodiscard]] std::ptrdiff_t flush();

  // TLS --------------------------------------------------------------------------------------------------
  /// Begins a handshake; shake() comes next.
  void start_tls(Transport::Tls tls) { transport_.start(std::move(tls)), shaking_ = true; }
  [[nodiscard]] bool shaking() const { return shaking_; }
  [[nodiscard]] Transport::Handshake shake();
  [[nodiscard]] bool encrypted() const { return transport_.encrypted(); }
  [[nodiscard]] std::string server_end_point() const { return transport_.server_end_point(); }
  [[nodiscard]] bool distrusted() const { return transport_.distrusted(); }
  /// In words, what a negative result means.
  [[nodiscard]] std::string why(std::ptrdiff_t negative_errno) const;

 private:
  void want_writing(bool wanted);

  Loop& loop_;
  Peer& owner_;
  Transport transport_;
  Slice input_;
  bool readable_ = false;
  bool hung_up_ = false;  // the peer's end is known: read until it shows
  bool write_blocked_ = false;
  bool wants_writing_ = false;  // as the poller knows it
  bool shaking_ = false;
};

}  // namespace ambassador::proxy::net
