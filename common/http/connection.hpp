// One connection of the HTTP server, plain or TLS: reads a request within its limits, hands it to the
// handler, writes the response, and again. Made by Server alone; private to this room.
//
// Threads: everything runs on the connection's strand; close() and drain() may be called by every thread.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "common/http/server.hpp"

namespace ambassador::http {

/// What all connections of a server share. Outlives none of them: each holds it.
struct Shared {
  Handler handler;
  Limits limits;
  std::atomic<bool> draining{false};  // every response says `Connection: close`
  std::atomic<bool> stopped{false};   // no request reaches the handler any more
  std::atomic<std::uint64_t> handshake_failures{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::uint64_t> too_large{0};
  std::atomic<std::uint64_t> too_slow{0};
};

class Connection {
 public:
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  virtual void start() = 0;
  /// Closes at once, whatever is in flight.
  virtual void close() = 0;
  /// Closes if it waits for a request, else after the response under way.
  virtual void drain() = 0;
  /// Steady-clock nanoseconds since which it has waited for a request; 0 while it is busy with one.
  [[nodiscard]] std::int64_t waiting_since() const { return waiting_since_; }

 protected:
  Connection() = default;
  void set_waiting(bool waiting) {
    waiting_since_ = waiting ? std::chrono::steady_clock::now().time_since_epoch().count() : 0;
  }

 private:
  std::atomic<std::int64_t> waiting_since_{0};
};

/// `closed` is called once, on the connection's strand, when the connection has ended. `tls` may be null:
/// plain.
std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket,
                                            std::shared_ptr<Shared> shared, const tls::Source* tls,
                                            std::function<void()> closed);

}  // namespace ambassador::http
