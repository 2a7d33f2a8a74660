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

void Upstream::set_role(Role role, SteadyTime now) {
  role_.store(role, std::memory_order_relaxed);
  role_known_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

bool Upstream::known_replica(SteadyTime now) const {
  if (role() != Role::replica) return false;
  const auto age = now.time_since_epoch().count() - role_known_at_.load(std::memory_order_relaxed);
  return SteadyTime::duration(age) < kReplicaFor;
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
