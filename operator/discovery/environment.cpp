#include "operator/discovery/environment.hpp"

#include <algorithm>

namespace ambassador::discovery {
namespace {

bool listed(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string detect_environment(const api::Policy& policy, const api::Labels& namespace_labels,
                               const api::Labels& pod_labels, std::string_view cluster_name) {
  for (const auto& environment : policy.environments) {
    const auto& [name, namespace_selector, pod_selector, cluster_names] = environment;
    if (namespace_selector && !namespace_selector->matches(namespace_labels)) continue;
    if (pod_selector && !pod_selector->matches(pod_labels)) continue;
    if (!cluster_names.empty() && !listed(cluster_names, cluster_name)) continue;
    return name;
  }
  return "";
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
