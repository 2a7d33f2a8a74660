#include "operator/controller/caches.hpp"

#include "common/log/log.hpp"
#include "common/metrics/metrics.hpp"
#include "operator/api/names.hpp"
#include "operator/controller/slim.hpp"

namespace ambassador::controller {
namespace {

kube::InformerOptions options(const kube::Resource& resource, const std::vector<std::string>& namespaces) {
  kube::InformerOptions out{.resource = resource};
  out.namespaces = namespaces;
  out.on_error = [resource](const kube::ApiError& error) {
    log::warning("watch failed", {{"resource", resource.plural}, {"error", error.text()}});
  };
  return out;
}

kube::InformerOptions slimmed(const kube::Resource& resource, const std::vector<std::string>& namespaces,
                              void (*slim)(kube::Json&)) {
  auto out = options(resource, namespaces);
  out.transform = slim;
  return out;
}

std::vector<std::string> service_of(const kube::Json& slice) {
  const auto service = kube::label_of(slice, kServiceNameLabel);
  if (!service) return {};
  return {kube::join_key(kube::namespace_of(slice), *service)};
}

kube::InformerOptions slice_options(const std::vector<std::string>& namespaces) {
  auto out = slimmed(kube::resources::endpoint_slices, namespaces, slim_endpoint_slice);
  out.indexes = {{"service", service_of}};
  return out;
}

kube::InformerOptions pod_options(const std::vector<std::string>& namespaces) {
  auto out = slimmed(kube::resources::pods, namespaces, slim_pod);
  out.label_selector = std::string(api::kInjectedLabel) + "=true";
  return out;
}

kube::InformerOptions one_webhook(const std::string& name) {
  auto out = options(kube::resources::mutating_webhooks, {});
  out.field_selector = "metadata.name=" + name;  // the operator may see this one alone
  return out;
}

}  // namespace

Caches::Caches(const kube::Client& client, const std::vector<std::string>& namespaces,
               const std::string& selected_name, const std::string& annotated_name)
    : stateful_sets(client, slimmed(kube::resources::stateful_sets, namespaces, slim_stateful_set)),
      services(client, slimmed(kube::resources::services, namespaces, slim_service)),
      slices(client, slice_options(namespaces)),
      pods(client, pod_options(namespaces)),
      selected(client, one_webhook(selected_name)),
      annotated(client, one_webhook(annotated_name)) {}

std::vector<const kube::Informer*> Caches::all() const {
  return {&stateful_sets, &services, &slices, &pods, &selected, &annotated};
}

void Caches::start() {
  for (auto* informer : {&stateful_sets, &services, &slices, &pods, &selected, &annotated}) informer->start();
}

void Caches::stop() {
  for (auto* informer : {&stateful_sets, &services, &slices, &pods, &selected, &annotated}) informer->stop();
}

bool Caches::has_synced() const {
  for (const auto* informer : all()) {
    if (!informer->has_synced()) return false;
  }
  return true;
}

Endpoints Caches::endpoints(const std::string& ns, const std::string& service) const {
  return endpoints_of(slices.store().by_index("service", kube::join_key(ns, service)));
}

void Caches::collect(metrics::Sheet& sheet) const {
  for (const auto* informer : all()) {
    // Both webhook configurations share a resource: the name tells them apart.
    const std::string name = informer == &selected    ? "mutatingwebhookconfigurations/selected"
                             : informer == &annotated ? "mutatingwebhookconfigurations/annotated"
                                                      : std::string(informer->resource().plural);
    const metrics::Labels labels = {{"resource", name}};
    sheet.gauge("ambassador_operator_cache_objects", "Objects in a cache", labels,
                static_cast<double>(informer->store().size()));
    sheet.counter("ambassador_operator_watch_restarts_total", "Watches that had to be opened again", labels,
                  static_cast<double>(informer->watch_restarts()));
    sheet.counter("ambassador_operator_lists_total",
                  "Lists made: the first, and one for each watch that expired", labels,
                  static_cast<double>(informer->lists()));
    sheet.gauge("ambassador_operator_watch_silence_seconds", "Since the API server was last heard on a watch",
                labels, std::chrono::duration<double>(informer->silence()).count());
  }
}

}  // namespace ambassador::controller
