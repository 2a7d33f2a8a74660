#include "proxy/admin/documents.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

namespace ambassador::proxy::admin {
namespace {

using Json = nlohmann::ordered_json;

Json time_json(net::SystemTime time) {
  if (time == net::SystemTime{}) {
    return nullptr;
  }
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[sizeof "2026-01-01T00:00:00Z"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

const char* protocol_name(config::Protocol protocol) {
  switch (protocol) {
    case config::Protocol::redis:
      return "Redis";
    case config::Protocol::tcp:
      return "TCP";
    case config::Protocol::postgresql:
      return "PostgreSQL";
  }
  return "";
}

double seconds(std::uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1e6;
}

// Estimates: what is behind would only look exact.
double tenths(double value) {
  return std::round(value * 10) / 10;
}

Json latency_json(const net::HistogramSnapshot& times) {
  return {{"count", times.total},
          {"p50Seconds", seconds(times.quantile(0.5))},
          {"p95Seconds", seconds(times.quantile(0.95))},
          {"p99Seconds", seconds(times.quantile(0.99))}};
}

Json failures_json(const net::FailureCounts& failures) {
  Json json = Json::object();
  for (std::size_t kind = 0; kind < failures.size(); ++kind) {
    json[net::failure_name(static_cast<Failure>(kind))] = failures[kind];
  }
  return json;
}

Json role_json(Role role) {
  if (role == Role::any) return nullptr;
  return role == Role::primary ? "primary" : "replica";
}

Json lag_json(const std::optional<std::chrono::milliseconds>& lag) {
  if (!lag) return nullptr;
  return static_cast<double>(lag->count()) / 1000;
}

Json backend_json(const net::BackendSnapshot& backend) {
  return {{"name", backend.name},
          {"host", backend.host},
          {"port", backend.port},
          {"weight", backend.weight},
          {"usable", backend.usable},
          {"health", backend.health},
          {"role", role_json(backend.role)},
          {"lagSeconds", lag_json(backend.lag)},
          {"addresses", backend.addresses},
          {"resolvedAt", time_json(backend.resolved_at)},
          {"resolveError", backend.resolve_error},
          {"connections", backend.lanes_open},
          {"waiting", backend.waiting},
          {"owed", backend.owed},
          {"queuedBytes", backend.queued_bytes},
          {"requests", backend.requests},
          {"replies", backend.replies},
          {"sentBytes", backend.bytes_sent},
          {"receivedBytes", backend.bytes_received},
          {"connects", backend.connects},
          {"connectFailures", backend.connect_failures},
          {"connectionsLost", backend.lanes_lost},
          {"failures", failures_json(backend.failures)},
          {"lastError", backend.last_error},
          {"lastErrorAt", time_json(backend.last_error_at)},
          {"latency", latency_json(backend.request_time)}};
}

Json pool_json(const net::PoolSnapshot& pool) {
  Json pins = Json::object();
  for (const PinCount& pin : pool.pins) {
    pins[std::string(pin.reason)] = pin.count;
  }
  return {{"paused", pool.paused},
          {"inUse", pool.lent},
          {"idle", pool.idle},
          {"opening", pool.opening},
          {"limit", pool.most},
          {"waiting", pool.waiting},
          {"borrowed", pool.wait_time.total},
          {"wait", latency_json(pool.wait_time)},
          {"loginsFailed", pool.logins_failed},
          {"interruptions", pool.interruptions},
          {"runAgain", pool.run_again},
          {"transactions", {{"pinned", pool.units.pinned}, {"unpinned", pool.units.unpinned}}},
          {"pins", std::move(pins)}};
}

Json kept_json(const KeptCounts& kept) {
  return {{"hits", kept.hits},
          {"misses", kept.misses},
          {"invalidations", kept.invalidations},
          {"evictions", kept.evictions},
          {"bytes", kept.bytes},
          {"limitBytes", kept.most_bytes},
          {"connections", kept.connections}};
}

Json listener_json(const net::ListenerSnapshot& listener) {
  Json backends = Json::array();
  for (const net::BackendSnapshot& backend : listener.backends) {
    backends.push_back(backend_json(backend));
  }
  Json json = {{"name", listener.name},
               {"protocol", protocol_name(listener.protocol)},
               {"addresses", listener.addresses},
               {"bindError", listener.bind_error},
               {"clients", listener.clients},
               {"maxClients", listener.max_clients},
               {"clientsTotal", listener.clients_total},
               {"clientsRefused", listener.clients_refused},
               {"clientsSlow", listener.clients_slow},
               {"clientsIdle", listener.clients_idle},
               {"clientsBroken", listener.clients_broken},
               {"requests", listener.requests},
               {"replies", listener.replies},
               {"slowRequests", listener.slow_requests},
               {"throttles", listener.throttles},
               {"throttledSeconds", seconds(static_cast<std::uint64_t>(listener.throttled_time.count()))},
               {"receivedBytes", listener.bytes_received},
               {"sentBytes", listener.bytes_sent},
               {"failures", failures_json(listener.failures)},
               {"latency", latency_json(listener.request_time)}};
  if (listener.seeds) {
    json["seeds"] = {{"known", listener.seeds->known},
                     {"answering", listener.seeds->answering},
                     {"trouble", listener.seeds->trouble}};
  }
  if (listener.kept) {
    json["clientCache"] = kept_json(*listener.kept);
  }
  if (listener.mirror) {
    json["mirror"] = {{"listener", listener.mirror->listener},
                      {"copied", listener.mirror->copied},
                      {"dropped", listener.mirror->dropped},
                      {"failed", listener.mirror->failed}};
  }
  if (listener.pool.most > 0) {
    json["pool"] = pool_json(listener.pool);
  }
  json["backends"] = std::move(backends);
  return json;
}

Json client_json(const net::ClientSnapshot& client) {
  const auto in_seconds = [](std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
  };
  return {{"listener", client.listener},
          {"peer", client.peer},
          {"backend", client.backend},
          {"ageSeconds", in_seconds(client.age)},
          {"idleSeconds", in_seconds(client.idle)},
          {"requests", client.requests},
          {"receivedBytes", client.bytes_received},
          {"sentBytes", client.bytes_sent},
          {"pending", client.pending},
          {"bufferedBytes", client.buffered_bytes},
          {"throttles", client.throttles}};
}

}  // namespace

Json status_json(const View& view, net::SystemTime now) {
  const net::Snapshot snapshot = view.snapshot();
  const ConfigurationState& configuration = view.configuration();
  Json listeners = Json::array();
  for (const net::ListenerSnapshot& listener : snapshot.listeners) {
    listeners.push_back(listener_json(listener));
  }
  const auto age = [now](net::SystemTime since) {
    return std::chrono::duration_cast<std::chrono::seconds>(now - since).count();
  };
  return {{"version", view.version},
          {"commit", view.commit},
          {"startedAt", time_json(view.started_at)},
          {"uptimeSeconds", age(view.started_at)},
          {"draining", snapshot.draining},
          {"listening", view.listening()},
          {"workers", snapshot.workers},
          {"bufferedBytes", snapshot.buffered_bytes},
          {"acceptPauses", snapshot.accept_pauses},
          {"configuration",
           {{"source", configuration.source},
            {"version", view.document().version},
            {"hash", configuration.hash},
            {"appliedAt", time_json(configuration.applied_at)},
            {"ageSeconds", age(configuration.applied_at)},
            {"applied", configuration.applied},
            {"refused", configuration.refused},
            {"lastRefusal", configuration.last_refusal},
            {"lastRefusalAt", time_json(configuration.last_refusal_at)}}},
          {"listeners", std::move(listeners)}};
}

Json backends_json(const net::Snapshot& snapshot) {
  Json all = Json::array();
  for (const net::ListenerSnapshot& listener : snapshot.listeners) {
    for (const net::BackendSnapshot& backend : listener.backends) {
      Json entry = {{"listener", listener.name}};
      entry.update(backend_json(backend));
      all.push_back(std::move(entry));
    }
  }
  return all;
}

Json clients_json(const std::vector<net::ClientSnapshot>& clients) {
  Json all = Json::array();
  for (const net::ClientSnapshot& client : clients) {
    all.push_back(client_json(client));
  }
  return all;
}

Json top_json(std::vector<net::ClientSnapshot> clients) {
  std::sort(clients.begin(), clients.end(), [](const net::ClientSnapshot& a, const net::ClientSnapshot& b) {
    return a.bytes_received + a.bytes_sent > b.bytes_received + b.bytes_sent;
  });
  return clients_json(clients);
}

Json slow_log_json(const std::vector<net::SlowRequest>& requests) {
  Json all = Json::array();
  for (const net::SlowRequest& request : requests) {
    all.push_back({{"time", time_json(request.at)},
                   {"durationSeconds", seconds(static_cast<std::uint64_t>(request.took.count()))},
                   {"listener", request.listener},
                   {"client", request.client},
                   {"backend", request.backend},
                   {"command", request.command},
                   {"key", request.key}});
  }
  return all;
}

Json hot_keys_json(const std::vector<net::AskedKeys>& listeners) {
  Json all = Json::array();
  for (const net::AskedKeys& listener : listeners) {
    Json keys = Json::array();
    for (const net::AskedKeys::Key& key : listener.keys) {
      keys.push_back({{"key", key.key},
                      {"requestsPerSecond", tenths(key.per_second)},
                      {"errorPerSecond", tenths(key.error())},
                      {"share", std::round(key.per_second / listener.per_second * 1000) / 1000}});
    }
    all.push_back({{"listener", listener.listener},
                   {"sampledOneIn", listener.limits.one_in},
                   {"halfLifeSeconds", listener.half_life.count()},
                   {"requestsPerSecond", tenths(listener.per_second)},
                   {"keys", std::move(keys)}});
  }
  return all;
}

Json big_keys_json(const std::vector<net::BigKey>& keys) {
  Json all = Json::array();
  for (const net::BigKey& big : keys) {
    all.push_back({{"time", time_json(big.at)},
                   {"bytes", big.bytes},
                   {"listener", big.listener},
                   {"command", big.command},
                   {"key", big.key}});
  }
  return all;
}

}  // namespace ambassador::proxy::admin
