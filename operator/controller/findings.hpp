// Everything about a policy's backends that the caches and DNS can tell now. Pure over what `Sources` says;
// called by the policy reconciler.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "operator/controller/endpoints.hpp"
#include "operator/controller/name_watch.hpp"
#include "operator/discovery/resolve.hpp"
#include "operator/kube/object.hpp"

namespace ambassador::controller {

/// Where the facts come from. Each may be called many times; null object = it does not exist.
struct Sources {
  std::function<kube::Object(const std::string& ns, const std::string& name)> stateful_set;
  std::function<kube::Object(const std::string& ns, const std::string& name)> service;
  std::function<Endpoints(const std::string& ns, const std::string& service)> endpoints;
  /// Called once, with every name: returns the answers there are.
  std::function<std::map<std::string, NameAnswer>(const std::set<std::string>& names)> ask;
};

struct Findings {
  std::vector<discovery::ResolvedListener> listeners;
  /// Whose changes matter: what the policy names, and the StatefulSets' Services.
  std::set<discovery::ObjectReference> references;
  std::set<std::string> names;  // in DNS
  /// DNS has not answered about some names yet: ask again in a moment before saying that they have no
  /// address.
  bool waits_for_dns = false;
};

/// @param previous status.listeners as stored: membership goes on from there
/// @param now RFC 3339
Findings find_backends(const api::Policy& policy, const std::vector<discovery::ResolvedListener>& previous,
                       const std::string& cluster_domain, const std::string& now, const Sources& sources);

/// The name to ask DNS for: one in the cluster's domain ends in a dot, or the search list would be tried
/// first (ndots: 5).
std::string question_name(const std::string& host, const std::string& cluster_domain);

}  // namespace ambassador::controller
