// A small HTTP/1.1 server on Boost.Beast, plain or TLS, with a limit on everything: what a client sends, how
// long it takes, how many there are. Serves the operator's webhook and metrics, the proxy's health and admin
// ports. Garbage gets 400, what is too large 413 or 431, who is too slow 408; then the connection is closed.
// It never throws for what a client does, and never blocks.
//
// Threads: the io_context may be run by several threads; every connection lives on a strand of its own.
// Members may be called by every thread; a Server must outlive nothing: destroying it closes everything.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/http/message.hpp"
#include "common/result/result.hpp"
#include "common/tls/source.hpp"

namespace boost::asio {
class io_context;
}

namespace ambassador::http {

struct Limits {
  std::size_t header_bytes = std::size_t{16} * 1024;      // request line and headers; more: 431
  std::size_t body_bytes = std::size_t{8} * 1024 * 1024;  // more: 413
  std::chrono::milliseconds header_timeout{5000};         // TLS handshake; first byte to end of headers
  std::chrono::milliseconds body_timeout{10000};          // the whole body
  std::chrono::milliseconds idle_timeout{60000};          // between requests
  std::chrono::milliseconds handler_timeout{30000};       // without a reply: 503 and close
  std::chrono::milliseconds write_timeout{10000};         // a response that the client does not read
  /// Above it the connection that has waited longest for a request is closed in favour of the new one; when
  /// all are busy the new one is closed.
  std::size_t max_connections = 1024;
  unsigned max_requests_per_connection = 0;  // then `Connection: close`; 0 = no limit
};

/// Counted since the start, for metrics.
struct Counts {
  std::uint64_t accepted = 0;
  std::uint64_t evicted = 0;        // closed for the sake of new ones, or refused: max_connections
  std::uint64_t accept_pauses = 0;  // out of descriptors or memory
  std::uint64_t handshake_failures = 0;
  std::uint64_t requests = 0;   // that reached the handler
  std::uint64_t malformed = 0;  // 400
  std::uint64_t too_large = 0;  // 413, 431
  std::uint64_t too_slow = 0;   // 408
  std::uint64_t open = 0;       // connections now
};

class Server {
 public:
  /// With `tls` every listener speaks TLS, without it plain HTTP.
  Server(boost::asio::io_context& io, Handler handler, Limits limits = {},
         std::shared_ptr<const tls::Source> tls = nullptr);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds an IP literal ("::" takes IPv4 too where the host allows it) and accepts from now on. Port 0: a
  /// free one. Gives the port. May be called several times before stop().
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);

  /// From now on every response says `Connection: close`; accepting goes on. For a server whose clients still
  /// come until the endpoints have been updated everywhere.
  void begin_drain();
  /// Accepts no more, closes connections that wait for a request, lets the others finish for at most `grace`,
  /// then closes them. `done` (may be empty) is called once on the io_context when nothing is open any more.
  void stop(std::chrono::milliseconds grace, std::function<void()> done = {});

  [[nodiscard]] Counts counts() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ambassador::http
