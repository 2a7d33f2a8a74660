#include "operator/controller/policy_reconciler.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/log/log.hpp"
#include "operator/controller/merge_diff.hpp"
#include "operator/kube/timestamp.hpp"

namespace ambassador::controller {
namespace {

using kube::Json;

const kube::Resource& resource_of(const std::string& key) {
  return key.find('/') == std::string::npos ? kube::resources::cluster_policies : kube::resources::policies;
}

/// The condition of this type, or null.
Json condition(const Json& status, std::string_view type) {
  const Json* conditions = kube::at(status, {"conditions"});
  if (conditions == nullptr || !conditions->is_array()) return nullptr;
  for (const auto& one : *conditions) {
    if (kube::string_at(one, {"type"}) == type) return one;
  }
  return nullptr;
}

bool lacks_an_address(const std::vector<discovery::ResolvedListener>& listeners) {
  return std::ranges::any_of(listeners, [](const auto& listener) {
    return listener.reason.empty() &&
           std::ranges::none_of(listener.backends, [](const auto& one) { return !one.address.empty(); });
  });
}

}  // namespace

void PolicyReconciler::forget() {
  shares_.forget_all();
  const std::lock_guard lock(mutex_);
  times_.clear();
}

PolicyReconciler::Times PolicyReconciler::times(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return times_[key];
}

kube::Object PolicyReconciler::document(const std::string& key) const {
  auto& informer =
      key.find('/') == std::string::npos ? needs_.view.cluster_policies() : needs_.view.policies();
  return informer.store().get(key);
}

Verdict PolicyReconciler::gone(const std::string& key) {
  needs_.names.want(key, {});
  needs_.references.set(key, {});
  shares_.forget(key);
  const std::lock_guard lock(mutex_);
  times_.erase(key);
  return Verdict::done();
}

Findings PolicyReconciler::find(const std::string& key, const inject::KnownPolicy& known,
                                const api::Policy& policy, const std::string& now) {
  const Sources sources{
      .stateful_set =
          [this](const std::string& ns, const std::string& name) {
            return needs_.caches.stateful_sets.store().get(ns, name);
          },
      .service = [this](const std::string& ns,
                        const std::string& name) { return needs_.caches.services.store().get(ns, name); },
      .endpoints = [this](const std::string& ns,
                          const std::string& service) { return needs_.caches.endpoints(ns, service); },
      .ask =
          [&](const std::set<std::string>& names) {
            needs_.names.want(key, names);
            return needs_.names.known(names);
          }};
  auto found =
      find_backends(policy, known.listeners, needs_.view.installation()->cluster_domain, now, sources);
  needs_.references.set(key, found.references);
  return found;
}

std::optional<discovery::UsedUpstreams> PolicyReconciler::used_upstreams(
    const inject::KnownPolicy& known) const {
  if (!known.parsed.policy || known.parsed.key.cluster()) return std::nullopt;
  const auto labels = needs_.view.namespace_labels(known.parsed.key.ns);
  if (!labels) return std::nullopt;
  const auto& policy = *known.parsed.policy;
  return discovery::used_upstreams(
      policy, discovery::possible_environments(policy, *labels, needs_.view.installation()->cluster_name));
}

status::PodCounts PolicyReconciler::counts(const api::PolicyKey& policy, std::optional<unsigned> missed,
                                           const Json& before) const {
  auto out = needs_.pods.counts(policy);
  if (!missed) {
    const auto stored = [&](const char* name) {
      const Json* number = kube::at(before, {"pods", name});
      return number != nullptr && number->is_number_unsigned() ? number->get<unsigned>() : 0U;
    };
    missed = stored("selected") - std::min(stored("selected"), stored("injected"));
  }
  out.selected += *missed;
  return out;
}

std::optional<BudgetShares::Decision> PolicyReconciler::share(const std::string& key,
                                                              const inject::KnownPolicy& known) {
  const auto& policy = known.parsed.policy;
  if (!policy || !policy->connection_budget) {
    shares_.forget(key);
    return std::nullopt;
  }
  return shares_.decide(key, *policy->connection_budget, needs_.pods.holders(policy->key),
                        known.connections_per_pod, Clock::now());
}

Verdict PolicyReconciler::reconcile(const std::string& key, const std::stop_token& stop) {
  const auto document = this->document(key);
  if (!document) return gone(key);
  const auto known = inject::know_policy(*document);
  const auto now = kube::rfc3339(std::chrono::system_clock::now());

  Findings found;
  found.listeners = known->listeners;  // what is not accepted keeps what was known: running Pods live on it
  if (const auto& policy = known->parsed.policy) {
    found = find(key, *known, *policy, now);
    const auto age = Clock::now() - times(key).first_seen;
    if (found.waits_for_dns && lacks_an_address(found.listeners) && age < kFirstAnswers) {
      return Verdict::after(kFirstAnswers);  // the answer itself brings the key back sooner
    }
  } else {
    needs_.names.want(key, {});
    needs_.references.set(key, {});
  }
  const Json* stored = kube::at(*document, {"status"});
  const Json none;
  const Json& before = stored != nullptr ? *stored : none;
  const auto missed = needs_.missed(known->parsed.key);
  const bool resolved = !(found.waits_for_dns && lacks_an_address(found.listeners));
  const auto share = this->share(key, *known);
  // Of a spec that is not accepted running Pods keep what they were given.
  auto per_pod = known->parsed.policy ? std::nullopt : known->connections_per_pod;
  if (share) per_pod = share->share;
  const Json status = status::compute_status({.parsed = known->parsed,
                                              .listeners = std::move(found.listeners),
                                              .resolved = resolved,
                                              .used = used_upstreams(*known),
                                              .pods = counts(known->parsed.key, missed, before),
                                              .connections_per_pod = per_pod,
                                              .conflicts = needs_.pods.conflicts(known->parsed.key),
                                              .previous = before,
                                              .now = now});
  const auto verdict = write(key, *document, status, stop);
  if (verdict.kind != Verdict::Kind::done) return verdict;
  if (!missed) return Verdict::after(kCountLater);
  return share && share->look_again ? Verdict::after(*share->look_again) : verdict;
}

Verdict PolicyReconciler::write(const std::string& key, const Json& document, const Json& status,
                                const std::stop_token& stop) {
  const Json* stored = kube::at(document, {"status"});
  const Json before = stored != nullptr && stored->is_object() ? *stored : Json::object();
  const Json diff = merge_diff(before, status);
  if (diff.empty()) return Verdict::done();
  const auto since = Clock::now() - times(key).written;
  if (since < needs_.status_interval) {
    return Verdict::after(std::chrono::ceil<std::chrono::milliseconds>(needs_.status_interval - since));
  }
  if (!needs_.acting.leads()) return Verdict::retry();
  // The resourceVersion is a lock: what was computed from an old document (its members!) must not win.
  const Json patch = {{"metadata", {{"resourceVersion", kube::resource_version_of(document)}}},
                      {"status", diff}};
  const auto [ns, name] = kube::split_key(key);
  const auto answer = needs_.acting.client.patch(resource_of(key), ns, name, kube::PatchType::merge, patch,
                                                 "status", needs_.acting.write(stop));
  if (!answer.ok()) {
    if (answer.error().not_found()) return Verdict::done();
    if (answer.error().conflict()) return Verdict::after(kCacheLag);
    if (!stop.stop_requested()) {
      log::warning("status not written", {{"policy", key}, {"error", answer.error().text()}});
    }
    return Verdict::retry();
  }
  ++writes_;
  {
    const std::lock_guard lock(mutex_);
    times_[key].written = Clock::now();
  }
  tell(document, before, status);
  return Verdict::done();
}

void PolicyReconciler::tell(const Json& document, const Json& before, const Json& after) {
  for (const auto* type : {"Accepted", "ResolvedRefs", "Ready"}) {
    const Json now = condition(after, type);
    const auto state = kube::string_at(now, {"status"});
    if (state == kube::string_at(condition(before, type), {"status"}) || state == "Unknown") continue;
    const auto reason = kube::string_at(now, {"reason"});
    // Ready says again what Accepted or ResolvedRefs have said already.
    if (std::string_view(type) == "Ready" && state != "True" && reason != discovery::kNoAddress) continue;
    const auto message = kube::string_at(now, {"message"});
    needs_.acting.events.record(document,
                                state == "True" ? kube::EventType::normal : kube::EventType::warning, reason,
                                "Reconcile", message);
    log::info("policy condition", {{"policy", kube::key_of(document)},
                                   {"condition", type},
                                   {"status", state},
                                   {"reason", reason},
                                   {"message", message}});
  }
}

}  // namespace ambassador::controller
