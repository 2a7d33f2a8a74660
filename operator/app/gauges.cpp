#include "operator/app/gauges.hpp"

#include "operator/certs/inspect.hpp"

namespace ambassador::app {

namespace {

double seconds(certs::Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void certificates(metrics::Sheet& sheet, const certs::Keeper& keeper) {
  const char* name = "ambassador_operator_certificate_expiry_timestamp_seconds";
  const char* help = "When the webhook's certificate, and the CA that signs it, end (Unix time).";
  const auto leaf = certs::read_certificates(keeper.certificate());
  if (!leaf.empty()) sheet.gauge(name, help, {{"kind", "serving"}}, seconds(leaf.front().not_after));
  const auto bundle = certs::read_certificates(keeper.ca_bundle());
  if (!bundle.empty()) sheet.gauge(name, help, {{"kind", "ca"}}, seconds(bundle.front().not_after));
}

void informers(metrics::Sheet& sheet, admission::ClusterView& view) {
  for (const auto* informer :
       {&view.policies(), &view.cluster_policies(), &view.namespaces(), &view.nodes()}) {
    const metrics::Labels labels = {{"resource", std::string(informer->resource().plural)}};
    sheet.counter("ambassador_operator_watch_restarts_total", "Watches that had to be opened again.", labels,
                  static_cast<double>(informer->watch_restarts()));
    sheet.counter("ambassador_operator_lists_total",
                  "Lists made: the first, and one for each watch that expired", labels,
                  static_cast<double>(informer->lists()));
    sheet.gauge("ambassador_operator_cache_objects", "Objects in a cache", labels,
                static_cast<double>(informer->store().size()));
    sheet.gauge("ambassador_operator_watch_silence_seconds",
                "Since the API server was last heard on this watch (a bookmark comes every minute).", labels,
                std::chrono::duration<double>(informer->silence()).count());
  }
}

void connections(metrics::Sheet& sheet, const http::Counts& counts) {
  sheet.gauge("ambassador_operator_webhook_connections", "Connections to the webhook now.", {},
              static_cast<double>(counts.open));
  const char* name = "ambassador_operator_webhook_clients_rejected_total";
  const char* help = "Connections to the webhook that were closed, by what was wrong with them.";
  const auto rejected = [&](const char* reason, std::uint64_t count) {
    sheet.counter(name, help, {{"reason", reason}}, static_cast<double>(count));
  };
  rejected("Evicted", counts.evicted);
  rejected("Handshake", counts.handshake_failures);
  rejected("Malformed", counts.malformed);
  rejected("TooLarge", counts.too_large);
  rejected("TooSlow", counts.too_slow);
}

}  // namespace

void fill(metrics::Sheet& sheet, const Observed& observed) {
  sheet.gauge("ambassador_operator_ready", "1 while this replica is ready to be asked.", {},
              observed.readiness.look().ready ? 1 : 0);
  sheet.gauge("ambassador_operator_annotated_webhook_intact",
              "1 while the live `annotated` webhook configuration has its matchConditions.", {},
              observed.publisher.intact().ok() ? 1 : 0);
  if (const auto state = observed.reachability.state(); state != admission::Reachability::State::unknown) {
    sheet.gauge("ambassador_operator_webhook_reachable",
                "1 when the API server reached the webhook at the leader's last look; the leader alone says.",
                {}, state == admission::Reachability::State::reached ? 1 : 0);
  }
  certificates(sheet, observed.keeper);
  informers(sheet, observed.view);
  connections(sheet, observed.listener.counts());
}

}  // namespace ambassador::app
