#include "operator/discovery/environment.hpp"

#include <algorithm>

namespace ambassador::discovery {
namespace {

bool listed(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// What namespace and cluster say of an environment; its podSelector is left out.
bool fits_here(const api::Environment& environment, const api::Labels& namespace_labels,
               std::string_view cluster_name) {
  if (environment.namespace_selector && !environment.namespace_selector->matches(namespace_labels))
    return false;
  return environment.cluster_names.empty() || listed(environment.cluster_names, cluster_name);
}

}  // namespace

std::string detect_environment(const api::Policy& policy, const api::Labels& namespace_labels,
                               const api::Labels& pod_labels, std::string_view cluster_name) {
  for (const auto& environment : policy.environments) {
    if (!fits_here(environment, namespace_labels, cluster_name)) continue;
    if (environment.pod_selector && !environment.pod_selector->matches(pod_labels)) continue;
    return environment.name;
  }
  return "";
}

std::vector<std::string> possible_environments(const api::Policy& policy, const api::Labels& namespace_labels,
                                               std::string_view cluster_name) {
  std::vector<std::string> possible;
  for (const auto& environment : policy.environments) {
    if (!fits_here(environment, namespace_labels, cluster_name)) continue;
    possible.push_back(environment.name);
    if (!environment.pod_selector) return possible;  // no Pod gets past it
  }
  possible.emplace_back();
  return possible;
}

std::optional<UpstreamChoice> choose_upstream(const api::Listener& listener, std::string_view environment) {
  for (const auto& upstream : listener.upstreams) {
    if (listed(upstream.environments, environment))
      return UpstreamChoice{&upstream, std::string(environment)};
  }
  for (const auto& upstream : listener.upstreams) {
    if (upstream.environments.empty()) return UpstreamChoice{&upstream, ""};
  }
  return std::nullopt;
}

UsedUpstreams used_upstreams(const api::Policy& policy, const std::vector<std::string>& environments) {
  UsedUpstreams used;
  for (const auto& listener : policy.listeners) {
    for (const auto& environment : environments) {
      if (const auto choice = choose_upstream(listener, environment)) {
        used.emplace(listener.name, choice->environment);
      }
    }
  }
  return used;
}

std::vector<UpstreamChoice> upstream_choices(const api::Listener& listener) {
  std::vector<UpstreamChoice> all;
  const auto add = [&](std::string_view environment) {
    if (std::ranges::find(all, environment, &UpstreamChoice::environment) != all.end()) return;
    if (const auto choice = choose_upstream(listener, environment)) all.push_back(*choice);
  };
  for (const auto& upstream : listener.upstreams) {
    if (upstream.environments.empty()) add("");
    for (const auto& environment : upstream.environments) add(environment);
  }
  return all;
}

}  // namespace ambassador::discovery
