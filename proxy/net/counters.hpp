// What a worker counts: written by its thread alone, with plain adds; read by any thread. Kept over reloads.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "proxy/net/histogram.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

/// A number with one writing thread.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) { value_.store(get() - n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct FailureCounters {
  std::array<Counter, kFailureKinds> of;
  void add(Failure failure) { of[static_cast<std::size_t>(failure)].add(); }
};

/// Of a listener whose servers are lent from a pool.
struct PoolCounters {
  Counter lent, idle, opening, waiting;  // now
  Counter logins_failed, interruptions, run_again;
  Histogram wait_time;
  void add_to(PoolSnapshot& out) const;
};

/// Of a listener that has a mirror.
struct MirrorCounters {
  Counter copied, dropped, failed;
  void add_to(MirrorSnapshot& out) const;
};

struct ListenerCounters {
  Counter clients_total, clients_slow, clients_idle, clients_broken;
  Counter requests, replies, slow_requests, bytes_received, bytes_sent;
  Counter throttles, throttled_microseconds;
  FailureCounters failures;
  PoolCounters pool;
  MirrorCounters mirror;
  void add_to(ListenerSnapshot& out) const;
};

struct BackendCounters {
  Counter lanes_open, waiting, owed, queued_bytes;
  Counter requests, replies, bytes_sent, bytes_received;
  Counter connects, connect_failures, lanes_lost;
  FailureCounters failures;
  Histogram connect_time, request_time;
  /// A connection is up; it took so long.
  void connected(std::chrono::microseconds took) {
    lanes_open.add();
    connects.add();
    connect_time.record(static_cast<std::uint64_t>(took.count()));
  }
  void add_to(BackendSnapshot& out) const;
};

}  // namespace ambassador::proxy::net
