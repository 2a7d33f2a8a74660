#include "proxy/admin/metrics.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace ambassador::proxy::admin {
namespace {

using metrics::Labels;
using metrics::Sheet;

// Upper bounds in microseconds: from a local answer to the longest wait that is usual.
constexpr std::array<std::uint64_t, 14> kBounds{100,   250,   500,    1000,   2500,    5000,    10000,
                                                25000, 50000, 100000, 250000, 1000000, 2500000, 5000000};

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

Labels with(Labels labels, const char* key, std::string value) {
  labels.emplace_back(key, std::move(value));
  return labels;
}

void add_latency(Sheet& sheet, const char* name, const char* help, const Labels& labels,
                 const net::HistogramSnapshot& times) {
  std::vector<std::pair<double, std::uint64_t>> buckets;
  buckets.reserve(kBounds.size());
  for (const std::uint64_t bound : kBounds) {
    buckets.emplace_back(number(bound) / 1e6, times.below(bound));
  }
  sheet.histogram(name, help, labels, buckets, times.total, number(times.sum_microseconds) / 1e6);
}

void add_program(const View& view, const net::Snapshot& snapshot, Sheet& sheet) {
  const ConfigurationState& configuration = view.configuration();
  sheet.gauge("ambassador_proxy_build_info", "Version and commit of the program",
              {{"version", view.version}, {"commit", view.commit}}, 1);
  sheet.gauge("ambassador_proxy_configuration_info", "Hash and form of the configuration that runs",
              {{"hash", configuration.hash}, {"version", std::to_string(view.document().version)}}, 1);
  sheet.gauge("ambassador_proxy_configuration_applied_timestamp_seconds", "When the configuration was taken",
              {}, static_cast<double>(std::chrono::system_clock::to_time_t(configuration.applied_at)));
  sheet.counter("ambassador_proxy_configurations_total", "Configurations by what became of them",
                {{"result", "applied"}}, number(configuration.applied));
  sheet.counter("ambassador_proxy_configurations_total", "", {{"result", "refused"}},
                number(configuration.refused));
  sheet.gauge("ambassador_proxy_draining", "1 while the proxy waits for its clients to leave", {},
              snapshot.draining ? 1 : 0);
  sheet.gauge("ambassador_proxy_buffered_bytes", "Memory in buffers that are in use", {},
              number(snapshot.buffered_bytes));
  sheet.counter("ambassador_proxy_accept_pauses_total", "Accepting paused: out of file descriptors", {},
                number(snapshot.accept_pauses));
}

void add_listener(const net::ListenerSnapshot& listener, Sheet& sheet) {
  const Labels labels{{"listener", listener.name}};
  sheet.gauge("ambassador_proxy_clients", "Clients connected", labels, number(listener.clients));
  sheet.counter("ambassador_proxy_clients_total", "Clients accepted", labels, number(listener.clients_total));
  const std::array<std::pair<const char*, std::uint64_t>, 4> closed{{{"refused", listener.clients_refused},
                                                                     {"slow", listener.clients_slow},
                                                                     {"idle", listener.clients_idle},
                                                                     {"broken", listener.clients_broken}}};
  for (const auto& [reason, count] : closed) {
    sheet.counter("ambassador_proxy_clients_closed_total", "Clients closed by the proxy, by reason",
                  with(labels, "reason", reason), number(count));
  }
  sheet.counter("ambassador_proxy_requests_total", "Requests read from clients", labels,
                number(listener.requests));
  sheet.counter("ambassador_proxy_replies_total", "Replies given to clients", labels,
                number(listener.replies));
  sheet.counter("ambassador_proxy_slow_requests_total", "Requests whose reply took long (slowLog)", labels,
                number(listener.slow_requests));
  sheet.counter("ambassador_proxy_throttles_total",
                "Times that a client was not read because it asked too often (rateLimit)", labels,
                number(listener.throttles));
  sheet.counter("ambassador_proxy_throttled_seconds_total", "How long that took, together", labels,
                static_cast<double>(listener.throttled_time.count()) / 1e6);
  sheet.counter("ambassador_proxy_client_received_bytes_total", "Bytes from clients", labels,
                number(listener.bytes_received));
  sheet.counter("ambassador_proxy_client_sent_bytes_total", "Bytes to clients", labels,
                number(listener.bytes_sent));
  for (std::size_t kind = 0; kind < listener.failures.size(); ++kind) {
    sheet.counter("ambassador_proxy_failures_total", "Requests that got no reply from a backend, by kind",
                  with(labels, "kind", net::failure_name(static_cast<Failure>(kind))),
                  number(listener.failures[kind]));
  }
  add_latency(sheet, "ambassador_proxy_request_duration_seconds",
              "From a request's last byte to its reply being due", labels, listener.request_time);
}

void add_seeds(const std::string& listener, const net::SeedsSnapshot& seeds, Sheet& sheet) {
  const Labels labels{{"listener", listener}};
  sheet.gauge("ambassador_proxy_seeds", "Who can be asked where the listener's servers are (Sentinels)",
              labels, seeds.known);
  sheet.gauge("ambassador_proxy_seeds_answering", "Of them, those that answer", labels, seeds.answering);
}

void add_kept(const std::string& listener, const KeptCounts& kept, Sheet& sheet) {
  const Labels labels{{"listener", listener}};
  sheet.counter("ambassador_proxy_client_cache_hits_total",
                "Reads that were answered with a kept reply (clientCache)", labels, number(kept.hits));
  sheet.counter("ambassador_proxy_client_cache_misses_total",
                "Reads whose reply could be kept, and that went to a server", labels, number(kept.misses));
  sheet.counter("ambassador_proxy_client_cache_invalidations_total",
                "Kept replies that were dropped as the server said so", labels, number(kept.invalidations));
  sheet.counter("ambassador_proxy_client_cache_evictions_total",
                "Kept replies that were dropped to make room", labels, number(kept.evictions));
  sheet.gauge("ambassador_proxy_client_cache_bytes", "Memory for kept replies", labels, number(kept.bytes));
  sheet.gauge("ambassador_proxy_client_cache_limit_bytes", "Memory that kept replies may take", labels,
              number(kept.most_bytes));
  sheet.gauge("ambassador_proxy_client_cache_connections", "Connections to servers that tell of changes",
              labels, number(kept.connections));
}

void add_mirror(const std::string& listener, const net::MirrorSnapshot& mirror, Sheet& sheet) {
  const Labels labels{{"listener", listener}};
  sheet.counter("ambassador_proxy_mirror_copied_total", "Requests of which the mirror was given a copy",
                labels, number(mirror.copied));
  sheet.counter("ambassador_proxy_mirror_dropped_total", "Requests of which the mirror could not take a copy",
                labels, number(mirror.dropped));
  sheet.counter("ambassador_proxy_mirror_failed_total", "Replies of the mirror that were errors", labels,
                number(mirror.failed));
}

void add_pool(const net::ListenerSnapshot& listener, Sheet& sheet) {
  const net::PoolSnapshot& pool = listener.pool;
  const Labels labels{{"listener", listener.name}};
  const std::array<std::pair<const char*, std::uint64_t>, 3> states{
      {{"in_use", pool.lent}, {"idle", pool.idle}, {"opening", pool.opening}}};
  for (const auto& [state, count] : states) {
    sheet.gauge("ambassador_proxy_pool_connections", "Server connections, by state",
                with(labels, "state", state), number(count));
  }
  sheet.gauge("ambassador_proxy_pool_connections_limit", "Server connections that the pool may have", labels,
              pool.most);
  sheet.gauge("ambassador_proxy_pool_waiting_clients", "Clients that wait for a server connection", labels,
              number(pool.waiting));
  add_latency(sheet, "ambassador_proxy_pool_wait_duration_seconds",
              "How long clients waited for the server connections that they got", labels, pool.wait_time);
  sheet.counter("ambassador_proxy_pool_logins_failed_total",
                "Server connections that were made, and then TLS or the login failed", labels,
                number(pool.logins_failed));
  sheet.counter("ambassador_proxy_pool_interruptions_total", "Wishes to cancel that were sent to servers",
                labels, number(pool.interruptions));
  sheet.counter("ambassador_proxy_pool_run_again_total",
                "Reads that a replica could not do, and that the primary was given then", labels,
                number(pool.run_again));
  for (const PinCount& pin : pool.pins) {
    sheet.counter("ambassador_proxy_pool_pins_total",
                  "Clients that kept their server connection between transactions, by reason",
                  with(labels, "reason", std::string(pin.reason)), number(pin.count));
  }
  const std::array<std::pair<const char*, std::uint64_t>, 2> units{
      {{"yes", pool.units.pinned}, {"no", pool.units.unpinned}}};
  for (const auto& [pinned, count] : units) {
    sheet.counter("ambassador_proxy_pool_transactions_total",
                  "Transactions of transaction pooling, by whether the client kept its server connection",
                  with(labels, "pinned", pinned), number(count));
  }
}

void add_backend(const std::string& listener, const net::BackendSnapshot& backend, Sheet& sheet) {
  const Labels labels{{"listener", listener}, {"backend", backend.name}};
  sheet.gauge("ambassador_proxy_backend_up", "1 when the backend may be used", labels,
              backend.usable ? 1 : 0);
  if (backend.role != Role::any) {
    sheet.gauge("ambassador_proxy_backend_primary", "1 for a server that takes writes, 0 for a replica",
                labels, backend.role == Role::primary ? 1 : 0);
  }
  if (backend.lag) {
    sheet.gauge("ambassador_proxy_backend_lag_seconds", "How far a replica is behind the primary, if known",
                labels, static_cast<double>(backend.lag->count()) / 1000);
  }
  sheet.gauge("ambassador_proxy_backend_connections", "Connections that are up", labels,
              number(backend.lanes_open));
  sheet.gauge("ambassador_proxy_backend_waiting", "Requests that wait for a connection", labels,
              number(backend.waiting));
  sheet.counter("ambassador_proxy_backend_requests_total", "Requests sent", labels, number(backend.requests));
  sheet.counter("ambassador_proxy_backend_replies_total", "Replies received", labels,
                number(backend.replies));
  sheet.counter("ambassador_proxy_backend_sent_bytes_total", "Bytes to the backend", labels,
                number(backend.bytes_sent));
  sheet.counter("ambassador_proxy_backend_received_bytes_total", "Bytes from the backend", labels,
                number(backend.bytes_received));
  sheet.counter("ambassador_proxy_backend_connects_total", "Connections made", labels,
                number(backend.connects));
  sheet.counter("ambassador_proxy_backend_connect_failures_total", "Connections that could not be made",
                labels, number(backend.connect_failures));
  sheet.counter("ambassador_proxy_backend_connections_lost_total", "Connections that ended without our wish",
                labels, number(backend.lanes_lost));
}

}  // namespace

void add_samples(const View& view, Sheet& sheet) {
  const net::Snapshot snapshot = view.snapshot();
  add_program(view, snapshot, sheet);
  for (const net::ListenerSnapshot& listener : snapshot.listeners) {
    add_listener(listener, sheet);
    if (listener.mirror) {
      add_mirror(listener.name, *listener.mirror, sheet);
    }
    if (listener.seeds) {
      add_seeds(listener.name, *listener.seeds, sheet);
    }
    if (listener.kept) {
      add_kept(listener.name, *listener.kept, sheet);
    }
    if (listener.pool.most > 0) {
      add_pool(listener, sheet);
    }
  }
  for (const net::ListenerSnapshot& listener : snapshot.listeners) {
    for (const net::BackendSnapshot& backend : listener.backends) {
      add_backend(listener.name, backend, sheet);
    }
  }
}

}  // namespace ambassador::proxy::admin
