#include "proxy/net/upstream.hpp"

#include <algorithm>

namespace ambassador::proxy::net {

const char* failure_name(Failure failure) {
  switch (failure) {
    case Failure::no_backend:
      return "no_backend";
    case Failure::unreachable:
      return "unreachable";
    case Failure::lost:
      return "lost";
    case Failure::timed_out:
      return "timed_out";
    case Failure::overloaded:
      return "overloaded";
    case Failure::refused:
      return "refused";
    case Failure::declined:
      return "declined";
  }
  return "unknown";
}

Upstream::Upstream(config::Backend backend) : backend_(std::move(backend)) {
  // What needs no resolver is known from the start.
  auto fixed = Address::ip(backend_.host, backend_.port);
  if (!fixed) fixed = Address::unix_path(backend_.host);
  set_ejection(std::nullopt);
  if (fixed) addresses_ = std::make_shared<const Addresses>(Addresses{*fixed});
}

void Upstream::set_ejection(const std::optional<config::Ejection>& ejection) {
  const auto retry = ejection ? ejection->retry_after : kAvoidFor;
  retry_after_.store(std::chrono::duration_cast<SteadyTime::duration>(retry).count(),
                     std::memory_order_relaxed);
  eject_after_.store(ejection ? std::max(1U, ejection->failures) : 0, std::memory_order_relaxed);
}

std::shared_ptr<const Addresses> Upstream::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_;
}

void Upstream::resolved(Addresses addresses, SystemTime now) {
  for (Address& address : addresses) address = address.with_port(backend_.port);
  auto fresh = std::make_shared<const Addresses>(std::move(addresses));
  const std::lock_guard lock(mutex_);
  addresses_ = std::move(fresh);
  resolved_at_ = now;
  resolve_error_.clear();
}

void Upstream::resolve_failed(std::string why) {
  const std::lock_guard lock(mutex_);
  resolve_error_ = std::move(why);
}

bool Upstream::usable(SteadyTime now) const {
  if (now.time_since_epoch().count() < avoided_until_.load(std::memory_order_relaxed)) return false;
  // With ejection a backend leaves by failures in a row alone, and comes back by time alone.
  return ejects() || probe_.load(std::memory_order_relaxed) != Probe::down;
}

void Upstream::probed(bool healthy, std::string_view why, SteadyTime now) {
  probe_.store(healthy ? Probe::up : Probe::down, std::memory_order_relaxed);
  if (healthy) {
    failures_in_a_row_.store(0, std::memory_order_relaxed);
    if (!ejects()) avoided_until_.store(0, std::memory_order_relaxed);
  } else {
    if (ejects()) failed(now);
    const std::lock_guard lock(mutex_);
    probe_error_ = why;
  }
}

void Upstream::connect_failed(std::string_view why, SteadyTime now) {
  failed(now);
  note_error(why, std::chrono::system_clock::now());
}

void Upstream::connected() {
  open_connections.fetch_add(1, std::memory_order_relaxed);
  failures_in_a_row_.store(0, std::memory_order_relaxed);
  if (!ejects()) avoided_until_.store(0, std::memory_order_relaxed);
}

void Upstream::failed(SteadyTime now) {
  const unsigned failures = failures_in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (failures < eject_after_.load(std::memory_order_relaxed)) return;
  const auto until = now.time_since_epoch().count() + retry_after_.load(std::memory_order_relaxed);
  avoided_until_.store(until, std::memory_order_relaxed);
  failures_in_a_row_.store(0, std::memory_order_relaxed);
}

bool Upstream::set_standing(const Standing& standing, SteadyTime now) {
  if (standing.role == Role::any) return false;
  bool changed = role_.exchange(standing.role, std::memory_order_relaxed) != standing.role;
  role_known_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  if (standing.term != 0 || changed)
    changed = term_.exchange(standing.term, std::memory_order_relaxed) != standing.term || changed;
  return changed;
}

bool same_place(const config::Backend& a, const config::Backend& b) {
  return a.name == b.name && a.host == b.host && a.port == b.port;
}

BackendIndex index_of(const Upstreams& all, const Upstream& one) {
  const auto found = std::ranges::find(all, &one, [](const auto& upstream) { return upstream.get(); });
  return found != all.end() ? static_cast<BackendIndex>(found - all.begin()) : kNoBackend;
}

bool superseded(const Upstreams& all, const Upstream& one) {
  if (all.size() < 2 || one.role() != Role::primary) return false;
  const std::uint64_t term = one.term();
  return std::any_of(all.begin(), all.end(), [&](const auto& other) {
    return other->role() == Role::primary && other->term() > term;
  });
}

bool Upstream::known_replica(SteadyTime now) const {
  if (role() != Role::replica) return false;
  const auto age = now.time_since_epoch().count() - role_known_at_.load(std::memory_order_relaxed);
  return SteadyTime::duration(age) < kReplicaFor;
}

// Who reads when it answered sees at least what it answered then.
void Upstream::set_behind(const std::optional<Behind>& behind, SteadyTime now) {
  lag_.store(behind ? behind->lag.count() : kUnknown, std::memory_order_relaxed);
  has_until_.store(behind ? behind->has_until.time_since_epoch().count() : kUnknown,
                   std::memory_order_relaxed);
  answered_at_.store(now.time_since_epoch().count(), std::memory_order_release);
}

void Upstream::set_has_until(SteadyTime until) {
  has_until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
}

std::optional<SteadyTime::duration> Upstream::lag() const {
  const auto lag = lag_.load(std::memory_order_relaxed);
  if (lag == kUnknown) return std::nullopt;
  return SteadyTime::duration(lag);
}

std::optional<SteadyTime::duration> Upstream::most_lag(SteadyTime now) const {
  const SteadyTime answered(SteadyTime::duration(answered_at_.load(std::memory_order_acquire)));
  const auto then = lag();
  if (!then) return std::nullopt;
  return *then + std::max(now - answered, SteadyTime::duration::zero());
}

bool Upstream::has_until(SteadyTime then, SteadyTime now) const {
  const SteadyTime answered(SteadyTime::duration(answered_at_.load(std::memory_order_acquire)));
  const auto until = has_until_.load(std::memory_order_relaxed);
  return until != kUnknown && now - answered < kNewsFor && SteadyTime(SteadyTime::duration(until)) >= then;
}

// By an eighth of what is new, as TCP does (RFC 6298).
void Upstream::probe_took(std::chrono::microseconds time) {
  const std::int64_t before = distance_.load(std::memory_order_relaxed);
  const std::int64_t now = std::max<std::int64_t>(time.count(), 1);
  distance_.store(before == 0 ? now : before + (now - before) / 8, std::memory_order_relaxed);
}

void Upstream::note_error(std::string_view what, SystemTime now) {
  const std::lock_guard lock(mutex_);
  last_error_ = what;
  last_error_at_ = now;
}

void Upstream::describe(BackendSnapshot& out, SteadyTime now) const {
  out.name = backend_.name;
  out.host = backend_.host;
  out.port = backend_.port;
  out.weight = backend_.weight;
  out.usable = usable(now);
  out.role = role();
  out.term = term();
  if (const auto known = lag(); known && out.role == Role::replica)
    out.lag = std::chrono::duration_cast<std::chrono::milliseconds>(*known);
  const Probe probe = probe_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (probe == Probe::down) {
    out.health = "down: " + probe_error_;
  } else if (!out.usable) {
    out.health = "down: " + last_error_;
  } else {
    out.health = probe == Probe::up ? "up" : "unknown";
  }
  for (const Address& address : *addresses_) out.addresses.push_back(address.text());
  out.resolved_at = resolved_at_;
  out.resolve_error = resolve_error_;
  out.last_error = last_error_;
  out.last_error_at = last_error_at_;
}

}  // namespace ambassador::proxy::net
