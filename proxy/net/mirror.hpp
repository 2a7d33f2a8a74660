// Copies of what one listener's clients ask, for another listener of the same worker: to that one it is a
// client like others, at the other end of a pair of sockets. Nobody ever waits for it: what the other
// listener does not take in time is dropped and counted, its replies are read and dropped. Owned by the Relay
// whose clients they are. One worker's thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/loop.hpp"
#include "proxy/net/slices.hpp"
#include "proxy/net/socket.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

class Relay;
class Service;

class Mirror final : public Peer {
 public:
  /// Bytes of copies that wait for the other listener: beyond this they are dropped.
  static constexpr std::size_t kQueueMost = std::size_t{2} * 1024 * 1024;
  /// Receives per turn.
  static constexpr int kReadsPerTurn = 8;

  /// `listener`: who gets the copies.
  Mirror(Relay& relay, std::string listener);
  ~Mirror() override;

  [[nodiscard]] const std::string& listener() const { return listener_; }
  /// One message, or several that belong together, for connections of that kind.
  void copy(LaneKind kind, std::string_view message);
  void copy(LaneKind kind, Slices& message);
  /// A message is too long to be copied.
  void drop();
  /// Sends what it can at once, and ends.
  void close();

  // Peer
  void on_ready(std::uint32_t events) override;
  void on_deadline(SteadyTime /*now*/) override {}
  void flush() override;
  void go_on() override { read(); }

 private:
  [[nodiscard]] Service* other() const;
  [[nodiscard]] bool takes(LaneKind kind, std::size_t bytes);
  [[nodiscard]] bool connect();
  void disconnect();
  void read();
  void replies();
  [[nodiscard]] Loop& loop() const;

  Relay& relay_;
  const std::string listener_;
  Socket socket_;
  bool readable_ = false;
  bool write_blocked_ = false;
  LaneKind kind_ = LaneKind::ordinary;  // of the last copy
  Slices out_;
  std::unique_ptr<Framer> framer_;
  Slice input_;
  bool in_reply_ = false;
};

}  // namespace ambassador::proxy::net
