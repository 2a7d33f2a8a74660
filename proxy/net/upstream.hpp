// One backend of one listener as all threads see it: who it is, where it is now, whether it may be used. Made
// by Proxy when a configuration is applied, kept over reloads as long as name, host and port stay; shared by
// the workers' lanes, the resolver (writes addresses) and health checking (writes probe results). Every
// member may be called by every thread. Does no I/O.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/net/address.hpp"
#include "proxy/net/clock.hpp"
#include "proxy/net/position_history.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/session/pooled.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

class Upstream {
 public:
  explicit Upstream(config::Backend backend);
  static constexpr std::chrono::milliseconds kAvoidFor{1000};
  /// How many failures in a row take the backend out, for how long. Without it one failure to connect takes
  /// it out for kAvoidFor, or until a probe says that it is up.
  void set_ejection(const std::optional<config::Ejection>& ejection);

  [[nodiscard]] const config::Backend& backend() const { return backend_; }

  // Where it is. -----------------------------------------------------------------------------------------
  /// The last good answer; never null, empty before the first.
  [[nodiscard]] std::shared_ptr<const Addresses> addresses() const;
  /// A good answer (resolver).
  void resolved(Addresses addresses, SystemTime now);
  /// No answer: the last good one stays (resolver).
  void resolve_failed(std::string why);

  // Whether it may be used. ------------------------------------------------------------------------------
  [[nodiscard]] bool usable(SteadyTime now) const;
  /// An active probe ended (health checking). `why` says what was wrong; ignored when healthy.
  void probed(bool healthy, std::string_view why, SteadyTime now);
  /// All its addresses refused, or did not answer in time (lanes).
  void connect_failed(std::string_view why, SteadyTime now);
  /// A connection is up (lanes)...
  void connected();
  /// ...and is no more.
  void disconnected() { open_connections.fetch_sub(1, std::memory_order_relaxed); }
  /// True while the last probe failed: lanes then give up on replies that are overdue.
  [[nodiscard]] bool probe_failed() const { return probe_.load(std::memory_order_relaxed) == Probe::down; }

  // What it said of itself. ------------------------------------------------------------------------------
  /// How long a server that was a replica is not asked for a primary's work: it may be promoted any moment.
  static constexpr std::chrono::milliseconds kReplicaFor{1000};
  /// What is not known leaves what was. True: another role or term than before.
  bool set_standing(const Standing& standing, SteadyTime now);
  [[nodiscard]] Role role() const { return role_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t term() const { return term_.load(std::memory_order_relaxed); }
  /// It said so not long ago.
  [[nodiscard]] bool known_replica(SteadyTime now) const;

  // How far behind it is, as a replica. ------------------------------------------------------------------
  /// What was found out is believed for so long when clients' own writes depend on it.
  static constexpr std::chrono::milliseconds kNewsFor{2000};
  /// It answered at `now` (Standings). Nothing: it is not known, or not any more.
  void set_behind(const std::optional<Behind>& behind, SteadyTime now);
  /// The primary answered: more is known of what it has, not of its lag.
  void set_has_until(SteadyTime until);
  /// When it answered; nothing: not known.
  [[nodiscard]] std::optional<SteadyTime::duration> lag() const;
  /// The same as of now, were it to have stopped since.
  [[nodiscard]] std::optional<SteadyTime::duration> most_lag(SteadyTime now) const;
  /// It has all that was written until then.
  [[nodiscard]] bool has_until(SteadyTime then, SteadyTime now) const;
  /// A client would read there if it had what that client wrote.
  void want_news(SteadyTime now) const {
    news_wanted_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  [[nodiscard]] SteadyTime news_wanted_at() const {
    return SteadyTime(SteadyTime::duration(news_wanted_at_.load(std::memory_order_relaxed)));
  }

  // How far it is from here. -----------------------------------------------------------------------------
  /// A probe took so long from its request to its reply.
  void probe_took(std::chrono::microseconds time);
  /// Of late, a little slow to change; 0: not known.
  [[nodiscard]] std::chrono::microseconds distance() const {
    return std::chrono::microseconds(distance_.load(std::memory_order_relaxed));
  }

  /// Which of the addresses the next connection should try first: each in turn.
  [[nodiscard]] std::size_t next_start() { return starts_.fetch_add(1, std::memory_order_relaxed); }
  /// Connections that are open, over all workers (for least connections).
  std::atomic<std::uint32_t> open_connections{0};

  /// Fills in name, health, addresses, resolution and the last error.
  void describe(BackendSnapshot& out, SteadyTime now) const;
  /// For `last error` on the status page.
  void note_error(std::string_view what, SystemTime now);

 private:
  enum class Probe : std::uint8_t { unknown, up, down };
  void failed(SteadyTime now);
  [[nodiscard]] bool ejects() const { return eject_after_.load(std::memory_order_relaxed) != 0; }

  static constexpr SteadyTime::rep kUnknown = -1;

  const config::Backend backend_;
  std::atomic<unsigned> eject_after_{0};  // failures in a row; 0 = no ejection
  std::atomic<SteadyTime::rep> retry_after_{0};
  std::atomic<std::size_t> starts_{0};
  std::atomic<Probe> probe_{Probe::unknown};
  std::atomic<SteadyTime::rep> avoided_until_{0};
  std::atomic<unsigned> failures_in_a_row_{0};
  std::atomic<Role> role_{Role::any};
  std::atomic<std::uint64_t> term_{0};
  std::atomic<SteadyTime::rep> role_known_at_{0};
  std::atomic<SteadyTime::rep> lag_{kUnknown};
  std::atomic<SteadyTime::rep> has_until_{kUnknown};
  std::atomic<SteadyTime::rep> answered_at_{0};
  mutable std::atomic<SteadyTime::rep> news_wanted_at_{0};
  std::atomic<std::int64_t> distance_{0};  // microseconds

  mutable std::mutex mutex_;  // guards what follows; never taken per request
  std::shared_ptr<const Addresses> addresses_ = std::make_shared<const Addresses>();
  SystemTime resolved_at_{};
  std::string resolve_error_;
  std::string probe_error_;
  std::string last_error_;
  SystemTime last_error_at_{};
};

/// Both are one server: what is known of one holds for the other.
[[nodiscard]] bool same_place(const config::Backend& a, const config::Backend& b);

using Upstreams = std::vector<std::shared_ptr<Upstream>>;

/// Where `one` is in `all`; kNoBackend: it is none of them.
[[nodiscard]] BackendIndex index_of(const Upstreams& all, const Upstream& one);

/// `one` takes writes, and so does another one of `all` whose term is higher: nothing may be written to
/// `one`. What a server said counts as long as it is configured, even when it is not reached any more.
[[nodiscard]] bool superseded(const Upstreams& all, const Upstream& one);
/// `one` takes writes, and does so by right.
[[nodiscard]] inline bool leads(const Upstreams& all, const Upstream& one) {
  return one.role() == Role::primary && !superseded(all, one);
}

}  // namespace ambassador::proxy::net
