#include "operator/discovery/resolve.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/config/parse.hpp"
#include "operator/api/document.hpp"
#include "operator/api/names.hpp"
#include "operator/discovery/hosts.hpp"
#include "operator/discovery/membership.hpp"
#include "operator/discovery/service_port.hpp"

namespace ambassador::discovery {
namespace {

using api::integer_at;
using api::member;
using api::text_at;
using nlohmann::json;

/// As many members as one configuration may hold backends.
constexpr std::int64_t kMaxReplicas = config::kMaxBackends;

ResolvedListener unresolved(const ResolveInput& input, std::string_view reason, std::string message) {
  ResolvedListener listener;
  if (input.previous != nullptr) {
    listener.backends = input.previous->backends;
    listener.resolved_at = input.previous->resolved_at;
  }
  listener.name = input.listener.name;
  listener.environment = input.choice.environment;
  listener.reason = reason;
  listener.message = std::move(message);
  return listener;
}

ResolvedListener start(const ResolveInput& input) {
  ResolvedListener listener;
  listener.name = input.listener.name;
  listener.environment = input.choice.environment;
  if (input.previous != nullptr) listener.resolved_at = input.previous->resolved_at;
  return listener;
}

/// The last good address of the same host and port.
std::string previous_address(const ResolveInput& input, const ResolvedBackend& backend) {
  if (input.previous == nullptr) return "";
  for (const auto& old : input.previous->backends) {
    if (old.host == backend.host && old.port == backend.port) return old.address;
  }
  return "";
}

void finish_backend(const ResolveInput& input, ResolvedBackend& backend) {
  if (backend.ring_name.empty()) backend.ring_name = backend.host + ":" + std::to_string(backend.port);
  if (const auto weight = input.listener.weights.find(backend.name); weight != input.listener.weights.end()) {
    backend.weight = weight->second;
  }
  backend.address = previous_address(input, backend);
}

bool headless(const json& service) {
  return text_at(member(service, "spec"), "clusterIP") == "None";
}

std::string not_permitted(const api::PolicyKey& policy, const std::string& service) {
  return "Service " + service + " does not permit " +
         (policy.cluster() ? "ClusterAmbassadorPolicies" : "namespace " + policy.ns) +
         ": its owner permits it by " + "kubectl annotate service -n " +
         service.substr(0, service.find('/')) + " " + service.substr(service.find('/') + 1) + " " +
         std::string(api::kAllowedNamespaces) + "=" + (policy.cluster() ? "'*'" : policy.ns);
}

/// "redis-st-7" -> 7 for "redis-st".
std::optional<int> ordinal_of(const std::string& pod, const std::string& set) {
  if (pod.size() <= set.size() + 1 || pod.size() > set.size() + 8 || !pod.starts_with(set) ||
      pod[set.size()] != '-') {
    return std::nullopt;
  }
  int ordinal = 0;
  for (const char c : pod.substr(set.size() + 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    ordinal = ordinal * 10 + (c - '0');
  }
  return ordinal;
}

std::set<int> members_of(const ResolveInput& input, const std::string& set, const std::string& source) {
  std::set<int> members;
  std::set<int> ready;
  if (input.previous != nullptr) {
    for (const auto& backend : input.previous->backends) {
      if (backend.source != source) continue;
      if (const auto ordinal = ordinal_of(backend.name, set)) members.insert(*ordinal);
    }
  }
  for (const auto& pod : input.ready_pods) {
    if (const auto ordinal = ordinal_of(pod, set)) ready.insert(*ordinal);
  }
  const json& spec = member(*input.stateful_set, "spec");
  const auto replicas = std::clamp<std::int64_t>(integer_at(spec, "replicas").value_or(1), 0, kMaxReplicas);
  const auto first =
      std::clamp<std::int64_t>(integer_at(member(spec, "ordinals"), "start").value_or(0), 0, 1'000'000);
  return next_members(members, static_cast<int>(first), static_cast<int>(replicas), ready);
}

// https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
std::string service_domain(const ResolveInput& input, const std::string& service, const std::string& ns) {
  return service + "." + ns + ".svc." + input.cluster_domain;
}

ResolvedListener resolve_set(const ResolveInput& input, const api::StatefulSetReference& reference) {
  const std::string ns = reference.ns.empty() ? input.policy.key.ns : reference.ns;
  const std::string set = "StatefulSet " + ns + "/" + reference.name;
  if (input.stateful_set == nullptr) {
    return unresolved(input, kRefNotFound,
                      set + " does not exist: create it, or correct the name in the policy");
  }
  const std::string service_name = governing_service(*input.stateful_set);
  if (service_name.empty()) {
    return unresolved(input, kRefNotFound,
                      set + " has no spec.serviceName: its Pods have no names in DNS; create " +
                          "it anew with the name of a headless Service");
  }
  const std::string service = ns + "/" + service_name;
  if (input.service == nullptr) {
    return unresolved(input, kRefNotFound,
                      "Service " + service + ", the spec.serviceName of " + set +
                          ", does not exist: create it with clusterIP: None");
  }
  if (!permitted(input.policy.key, *input.service)) {
    return unresolved(input, kRefNotPermitted, not_permitted(input.policy.key, service));
  }
  if (!headless(*input.service)) {
    return unresolved(input, kServiceNotHeadless,
                      "Service " + service + ", the spec.serviceName of " + set +
                          ", is not headless: create it anew with clusterIP: None, or " +
                          "name it under `service` instead of `statefulSet`");
  }
  const auto port = pod_port(reference.port, *input.service, member(*input.stateful_set, "spec", "template"),
                             input.endpoint_ports);
  if (!port.ok()) return unresolved(input, kPortNotFound, port.error().text());

  ResolvedListener listener = start(input);
  const std::string domain = "." + service_domain(input, service_name, ns);
  for (const int ordinal : members_of(input, reference.name, set)) {
    ResolvedBackend backend;
    backend.name = reference.name + "-" + std::to_string(ordinal);
    backend.host = backend.name + domain;
    backend.port = *port;
    backend.ready = input.ready_pods.contains(backend.name);
    backend.source = set;
    finish_backend(input, backend);
    listener.backends.push_back(std::move(backend));
  }
  if (listener.backends.empty()) {
    listener.reason = kNoAddress;
    listener.message = set + " has no replicas: scale it up";
  }
  return listener;
}

ResolvedListener resolve_service(const ResolveInput& input, const api::ServiceReference& reference) {
  const std::string ns = reference.ns.empty() ? input.policy.key.ns : reference.ns;
  const std::string service = ns + "/" + reference.name;
  if (input.service == nullptr) {
    return unresolved(input, kRefNotFound,
                      "Service " + service + " does not exist: create it, or correct the name in the policy");
  }
  if (!permitted(input.policy.key, *input.service)) {
    return unresolved(input, kRefNotPermitted, not_permitted(input.policy.key, service));
  }
  const bool external = text_at(member(*input.service, "spec"), "type") == "ExternalName";
  const auto port = headless(*input.service) && !external
                        ? pod_port(reference.port, *input.service, json(), input.endpoint_ports)
                        : cluster_port(reference.port, *input.service);
  if (!port.ok()) return unresolved(input, kPortNotFound, port.error().text());

  ResolvedListener listener = start(input);
  ResolvedBackend backend;
  backend.name = reference.name;
  backend.host = service_domain(input, reference.name, ns);
  backend.port = *port;
  backend.ready = external || !input.ready_pods.empty();
  backend.source = "Service " + service;
  finish_backend(input, backend);
  listener.backends.push_back(std::move(backend));
  return listener;
}

ResolvedListener resolve_hosts(const ResolveInput& input, const std::vector<api::Host>& hosts) {
  ResolvedListener listener = start(input);
  listener.backends = backends_of(hosts, input.listener.weights);
  for (auto& backend : listener.backends) {
    if (backend.address.empty()) backend.address = previous_address(input, backend);
  }
  return listener;
}

}  // namespace

std::string governing_service(const json& stateful_set) {
  return text_at(member(stateful_set, "spec"), "serviceName");
}

bool permitted(const api::PolicyKey& policy, const json& service) {
  const json& metadata = member(service, "metadata");
  if (!policy.cluster() && text_at(metadata, "namespace") == policy.ns) return true;
  const std::string list = text_at(member(metadata, "annotations"), api::kAllowedNamespaces);
  std::string_view rest = list;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == "*" || (!policy.cluster() && one == policy.ns)) return true;
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return false;
}

std::optional<ObjectReference> reference(const api::Policy& policy, const api::Upstream& upstream) {
  const auto in = [&](const std::string& ns) { return ns.empty() ? policy.key.ns : ns; };
  if (const auto* set = std::get_if<api::StatefulSetReference>(&upstream.target)) {
    return ObjectReference{ObjectReference::Kind::stateful_set, in(set->ns), set->name};
  }
  if (const auto* service = std::get_if<api::ServiceReference>(&upstream.target)) {
    return ObjectReference{ObjectReference::Kind::service, in(service->ns), service->name};
  }
  return std::nullopt;
}

std::vector<ObjectReference> references(const api::Policy& policy) {
  std::set<ObjectReference> all;
  for (const auto& listener : policy.listeners) {
    for (const auto& upstream : listener.upstreams) {
      if (auto one = reference(policy, upstream)) all.insert(std::move(*one));
    }
  }
  return {all.begin(), all.end()};
}

ResolvedListener resolve(const ResolveInput& input) {
  const auto& target = input.choice.upstream->target;
  if (const auto* set = std::get_if<api::StatefulSetReference>(&target)) return resolve_set(input, *set);
  if (const auto* service = std::get_if<api::ServiceReference>(&target))
    return resolve_service(input, *service);
  return resolve_hosts(input, std::get<std::vector<api::Host>>(target));
}

}  // namespace ambassador::discovery
