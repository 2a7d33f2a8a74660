#include "operator/controller/webhook_reconciler.hpp"

#include <nlohmann/json.hpp>

#include "common/log/log.hpp"
#include "operator/api/parse.hpp"
#include "operator/controller/selected_webhook.hpp"

namespace ambassador::controller {
namespace {

using kube::Json;

/// The namespaceSelector of the first entry of `annotated`; null where there is none.
Json exclusions_of(const kube::Object& annotated) {
  const Json* entries = annotated ? kube::at(*annotated, {"webhooks"}) : nullptr;
  if (entries == nullptr || !entries->is_array() || entries->empty()) return nullptr;
  const Json* selector = kube::at(entries->front(), {"namespaceSelector"});
  return selector == nullptr ? Json() : *selector;
}

kube::Object only(const kube::Informer& informer) {
  const auto all = informer.store().list();
  return all.empty() ? nullptr : all.front();
}

}  // namespace

std::set<std::string> WebhookReconciler::concerned() const {
  std::vector<api::Policy> policies;
  for (auto* informer : {&needs_.view.policies(), &needs_.view.cluster_policies()}) {
    for (const auto& document : informer->store().list()) {
      auto parsed = api::parse_policy(*document);
      if (parsed.policy && parsed.policy->pod_selector) policies.push_back(std::move(*parsed.policy));
    }
  }
  std::vector<NamespaceFacts> namespaces;
  if (policies.empty()) return {};
  for (const auto& one : needs_.view.namespaces().store().list()) {
    const auto name = kube::name_of(*one);
    if (!needs_.view.watches(name) || kube::is_being_deleted(*one)) continue;
    api::Labels labels;
    for (auto& [key, value] : kube::labels_of(*one)) labels.emplace(key, std::move(value));
    namespaces.push_back({name, std::move(labels)});
  }
  return namespaces_with_selectors(policies, namespaces, needs_.own_namespace);
}

Verdict WebhookReconciler::reconcile(std::stop_token stop) {
  const auto namespaces = concerned();
  needs_.namespaces(namespaces);
  const auto live = only(needs_.caches.selected);
  if (!live) return Verdict::done();  // the chart has not installed it (yet); its arrival brings us back
  const auto bundle = needs_.ca_bundle ? needs_.ca_bundle() : std::optional<std::string>("");
  if (!bundle) return Verdict::done();  // ca_bundle_changed() brings us back
  const Json exclusions = exclusions_of(only(needs_.caches.annotated));
  const Json wanted = selected_to_apply({.name = needs_.name,
                                         .service = needs_.service,
                                         .service_namespace = needs_.own_namespace,
                                         .ca_bundle = *bundle,
                                         .timeout = needs_.timeout,
                                         .namespaces = namespaces,
                                         .exclusions = exclusions});
  if (selected_is_current(*live, wanted)) return Verdict::done();
  if (!needs_.acting.leads()) return Verdict::retry();
  auto options = needs_.acting.write(stop);
  options.field_manager = kSelectedFieldManager;
  options.force = true;  // whoever else changed the entry: it is ours
  const auto answer =
      needs_.acting.client.apply(kube::resources::mutating_webhooks, "", needs_.name, wanted, "", options);
  if (answer.ok()) {
    ++writes_;
    log::info("webhook entry applied", {{"webhook", needs_.name}, {"namespaces", namespaces.size()}});
    return Verdict::done();
  }
  if (!stop.stop_requested()) {
    log::warning("webhook entry not applied", {{"webhook", needs_.name}, {"error", answer.error().text()}});
  }
  return Verdict::retry();
}

}  // namespace ambassador::controller
