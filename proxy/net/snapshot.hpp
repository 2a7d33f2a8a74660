// What the proxy counted, as plain values for admin, metrics and tests: Proxy::snapshot() makes one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/net/clock.hpp"
#include "proxy/net/histogram.hpp"
#include "proxy/session/pooled.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

inline constexpr std::size_t kFailureKinds = 7;
/// So many bytes of a key are kept to be shown. Keys that differ only behind them count as one.
inline constexpr std::size_t kKeyShown = 128;
/// "no_backend", "unreachable", "lost", "timed_out", "overloaded", "refused"
[[nodiscard]] const char* failure_name(Failure failure);
/// Indexed by Failure.
using FailureCounts = std::array<std::uint64_t, kFailureKinds>;

/// One backend of one listener, summed over the workers.
struct BackendSnapshot {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
  unsigned weight = 1;

  bool usable = true;
  Role role = Role::any;                         // of a pooled protocol's server, as it said last
  std::uint64_t term = 0;                        // likewise
  std::optional<std::chrono::milliseconds> lag;  // of a replica, if it is known
  std::string health;                            // "up", "down: <why>", "unknown" (not probed yet)
  std::vector<std::string> addresses;            // the last good answer, "10.1.2.3:6379"
  SystemTime resolved_at{};                      // of the last good answer; epoch = never
  std::string resolve_error;                     // empty when the last try went well

  std::uint64_t lanes_open = 0;    // connections that are up
  std::uint64_t waiting = 0;       // requests that wait for a connection
  std::uint64_t owed = 0;          // requests sent and not answered
  std::uint64_t queued_bytes = 0;  // not sent yet
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t connects = 0;  // that succeeded; all but the first of a lane are reconnects
  std::uint64_t connect_failures = 0;
  std::uint64_t lanes_lost = 0;  // connections that ended without our wish
  FailureCounts failures{};
  std::string last_error;
  SystemTime last_error_at{};
  HistogramSnapshot connect_time;
  HistogramSnapshot request_time;  // from the request's last byte read to the reply's last byte read
};

/// Of a listener whose servers are lent from a pool; summed over the workers.
struct PoolSnapshot {
  unsigned most = 0;                // server connections, 0: the listener has no pool
  bool paused = false;              // nothing is lent
  std::uint64_t lent = 0;           // to clients, now
  std::uint64_t idle = 0;           // ready to be lent, now
  std::uint64_t opening = 0;        // being connected and logged in, now; to be watched, too
  std::uint64_t waiting = 0;        // clients that wait for one, now
  std::uint64_t logins_failed = 0;  // connections that were made, and then TLS or the login failed
  std::uint64_t interruptions = 0;  // sent to servers
  std::uint64_t run_again = 0;      // by another server, after the first one could not
  std::vector<PinCount> pins;       // clients that kept their server between units of work
  UnitCounts units;                 // after which they kept it, or did not
  HistogramSnapshot wait_time;      // of clients that got a server, those that waited for none too
};

/// The listener that gets copies of what clients ask; summed over the workers.
struct MirrorSnapshot {
  std::string listener;
  std::uint64_t copied = 0;   // messages, handed to it
  std::uint64_t dropped = 0;  // messages that it did not get
  std::uint64_t failed = 0;   // its replies that were errors
};

/// Those who are asked where a listener's servers are.
struct SeedsSnapshot {
  unsigned known = 0;      // their addresses, and those that have none yet
  unsigned answering = 0;  // of them
  std::string trouble;     // why one of the others does not
};

struct ListenerSnapshot {
  std::string name;
  config::Protocol protocol = config::Protocol::tcp;
  std::vector<std::string> addresses;  // as bound
  std::string bind_error;              // empty when all are bound

  std::uint64_t clients = 0;  // open now
  unsigned max_clients = 0;
  std::uint64_t clients_total = 0;
  std::uint64_t clients_refused = 0;  // above max_clients
  std::uint64_t clients_slow = 0;     // closed: did not read their replies
  std::uint64_t clients_idle = 0;     // closed: idle for timeouts.idle
  std::uint64_t clients_broken = 0;   // closed: broke the protocol or a limit
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t bytes_received = 0;  // from clients
  std::uint64_t bytes_sent = 0;      // to clients
  std::uint64_t slow_requests = 0;
  std::uint64_t throttles = 0;                 // times that a client was not read because it asked too often
  std::chrono::microseconds throttled_time{};  // of these that are over, together
  FailureCounts failures{};                    // exchanges that failed, whatever the client was told
  HistogramSnapshot request_time;  // from the request's last byte read to its reply being due and complete
  PoolSnapshot pool;
  std::optional<KeptCounts> kept;      // nothing: no replies are kept
  std::optional<SeedsSnapshot> seeds;  // nothing: its servers are declared
  std::optional<MirrorSnapshot> mirror;
  std::vector<BackendSnapshot> backends;
};

struct Snapshot {
  std::vector<ListenerSnapshot> listeners;  // in the document's order
  unsigned workers = 0;
  std::uint64_t buffered_bytes = 0;  // memory in blocks that are in use
  std::uint64_t accept_pauses = 0;   // accepting paused because the process ran out of descriptors
  bool draining = false;
};

/// One client that is connected now.
struct ClientSnapshot {
  std::string listener;
  std::string peer;     // "127.0.0.1:53112", "unix"
  std::string backend;  // of a client that has a lane of its own, or holds a server
  std::chrono::milliseconds age{};
  std::chrono::milliseconds idle{};
  std::uint64_t requests = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t pending = 0;         // requests that are not answered yet
  std::uint64_t buffered_bytes = 0;  // replies that the client has not read yet
  std::uint64_t throttles = 0;       // as ListenerSnapshot's
};

/// One request that was slow (SlowLimits).
struct SlowRequest {
  std::string listener;
  SystemTime at{};                   // its reply was there
  std::chrono::microseconds took{};  // since it was queued for its server
  std::string client;                // "127.0.0.1:53112", "unix"
  std::string backend;
  std::string command;  // RequestName
  std::string key;
};

/// The keys of one listener that are asked for most, of late: estimates (HotLimits).
struct AskedKeys {
  struct Key {
    std::string key{};
    double per_second = 0;  // commands that name it
    double too_high = 0;    // so much of it may be other keys'
    double variance = 0;    // by the chance of the sample
    /// per_second is off by more than this in one case out of twenty, at most.
    [[nodiscard]] double error() const;
  };
  std::string listener;
  HotLimits limits;
  std::chrono::seconds half_life{};  // what is so old counts half
  double per_second = 0;             // of all keys
  std::vector<Key> keys;
};

/// A large message about a key (BigLimits).
struct BigKey {
  std::string listener;
  SystemTime at{};  // its reply was there
  std::uint64_t bytes = 0;
  std::string command;  // RequestName
  std::string key;
};

}  // namespace ambassador::proxy::net
