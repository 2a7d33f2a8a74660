#include "operator/controller/findings.hpp"

#include <nlohmann/json.hpp>

namespace ambassador::controller {
namespace {

using discovery::ObjectReference;
using discovery::ResolvedListener;

/// The documents and endpoints of one choice, kept alive while it is resolved.
struct Gathered {
  kube::Object stateful_set;
  kube::Object service;
  Endpoints endpoints;
};

Gathered gather(const api::Policy& policy, const api::Upstream& upstream, const Sources& sources,
                std::set<ObjectReference>& references) {
  Gathered out;
  const auto reference = discovery::reference(policy, upstream);
  if (!reference) return out;
  references.insert(*reference);
  std::string service = reference->name;
  if (reference->kind == ObjectReference::Kind::stateful_set) {
    out.stateful_set = sources.stateful_set(reference->ns, reference->name);
    service = out.stateful_set ? discovery::governing_service(*out.stateful_set) : "";
    if (!service.empty()) references.insert({ObjectReference::Kind::service, reference->ns, service});
  }
  if (service.empty()) return out;
  out.service = sources.service(reference->ns, service);
  out.endpoints = sources.endpoints(reference->ns, service);
  return out;
}

}  // namespace

std::string question_name(const std::string& host, const std::string& cluster_domain) {
  return host.ends_with(".svc." + cluster_domain) ? host + "." : host;
}

Findings find_backends(const api::Policy& policy, const std::vector<ResolvedListener>& previous,
                       const std::string& cluster_domain, const std::string& now, const Sources& sources) {
  Findings out;
  for (const auto& listener : policy.listeners) {
    for (const auto& choice : discovery::upstream_choices(listener)) {
      const auto gathered = gather(policy, *choice.upstream, sources, out.references);
      out.listeners.push_back(
          discovery::resolve({.policy = policy,
                              .listener = listener,
                              .choice = choice,
                              .cluster_domain = cluster_domain,
                              .stateful_set = gathered.stateful_set.get(),
                              .service = gathered.service.get(),
                              .ready_pods = gathered.endpoints.ready,
                              .endpoint_ports = gathered.endpoints.ports,
                              .previous = discovery::find(previous, listener.name, choice.environment)}));
      for (const auto& host : discovery::names_to_resolve(out.listeners.back())) {
        out.names.insert(question_name(host, cluster_domain));
      }
    }
  }
  const auto answers = sources.ask(out.names);
  for (auto& listener : out.listeners) {
    std::map<std::string, std::vector<std::string>> addresses;
    bool all_asked = true;
    for (const auto& host : discovery::names_to_resolve(listener)) {
      const auto answer = answers.find(question_name(host, cluster_domain));
      all_asked = all_asked && answer != answers.end();
      if (answer != answers.end()) addresses.emplace(host, answer->second.addresses);
    }
    out.waits_for_dns = out.waits_for_dns || !all_asked;
    const auto reason = listener.reason;
    const auto message = listener.message;
    discovery::apply_addresses(listener, addresses, now);
    if (!all_asked) {  // "DNS gives no answer" would be a lie about a name that was never asked for
      listener.reason = reason;
      listener.message = message;
    }
  }
  return out;
}

}  // namespace ambassador::controller
