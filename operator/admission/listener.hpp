// The port that the API server calls: TLS, threads of its own, limits for strangers.
//
// Threads: every member may be called by every thread; open() and close() once each.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "common/http/server.hpp"

namespace ambassador::admission {

/// Two: one review that takes long (a huge Pod) must not hold up the others; more would only contend.
inline constexpr unsigned kListenerThreads = 2;

/// A timer that these threads serve has not run for this long: they hang.
inline constexpr std::chrono::seconds kHangs{30};

/// What a client of the webhook may do.
http::Limits listener_limits();

class Listener {
 public:
  explicit Listener(http::Handler handler, http::Limits limits = listener_limits());
  ~Listener();  // closes at once
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Accepts from now on, on every address of both families. Port 0: a free one. Gives the port.
  Result<std::uint16_t> open(std::uint16_t port, std::shared_ptr<const tls::Source> certificate);
  [[nodiscard]] bool is_open() const;
  /// False when its threads hang.
  [[nodiscard]] bool alive() const;

  /// Answers on, but asks every client to come back on a new connection, and so to another replica.
  void begin_drain();
  /// Lets what has begun finish for at most `grace`; returns when everything is closed.
  void close(std::chrono::milliseconds grace);

  [[nodiscard]] http::Counts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ambassador::admission
