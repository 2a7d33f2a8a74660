// Connects a socket to one upstream: all its addresses in order, each with its share of the time, until one
// answers. Owned by what will use the connection (a Lane, a ServerConnection), which is registered with the
// poller and hands its readiness and deadline on. One worker's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/net/clock.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/socket.hpp"
#include "proxy/net/upstream.hpp"

namespace ambassador::proxy::net {

/// Waits between rounds of connecting, which double; times 0.75 to 1.25, so that proxies do not keep step.
inline constexpr std::chrono::milliseconds kFirstPause{50};
inline constexpr std::chrono::milliseconds kLongestPause{1'000};
[[nodiscard]] SteadyTime::duration pause_after(unsigned failures);

class Connecting {
 public:
  enum class State : std::uint8_t {
    pending,    // call ready() and late()
    connected,  // take() the socket
    failed,     // no address answered; why() says what the last one said
  };
  Connecting(Loop& loop, Peer& owner) : loop_(loop), owner_(owner) {}

  /// `first`: which address comes first, counted round the list. `within`: for all of them together.
  State begin(const Upstream& upstream, std::size_t first, std::chrono::milliseconds within);
  /// The owner was told `events` while pending.
  State ready(std::uint32_t events);
  /// The owner's deadline passed while pending; it is set again when that was too early.
  State late(SteadyTime now);
  /// Gives the attempt up.
  void stop();

  /// With keepalive and the rest set as for every connection to a server.
  [[nodiscard]] Socket take();
  /// Of this attempt, and of the connection that came of it.
  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] SteadyTime until() const { return until_; }
  /// How long it took from begin() to now.
  [[nodiscard]] std::chrono::microseconds took() const;

 private:
  State next();
  State refused(int error);

  Loop& loop_;
  Peer& owner_;
  Socket socket_;
  std::shared_ptr<const Addresses> round_;
  std::size_t next_ = 0;
  std::size_t left_ = 0;
  std::chrono::milliseconds each_{};
  Address address_;
  std::string why_;
  SteadyTime since_;
  SteadyTime until_;
};

}  // namespace ambassador::proxy::net
