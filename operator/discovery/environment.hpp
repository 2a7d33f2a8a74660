// Which environment a Pod is in, and which upstream a listener has there. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/api/policy.hpp"

namespace ambassador::discovery {

/// The name of the first of the policy's environments whose conditions all hold; empty where none does.
/// (The Pod annotation ambassador.dev/environment comes before this: see inject/decide.hpp.)
/// @param cluster_name the name given at install, may be empty
std::string detect_environment(const api::Policy& policy, const api::Labels& namespace_labels,
                               const api::Labels& pod_labels, std::string_view cluster_name);

/// The environments that a Pod of such a namespace can be detected in, whatever its labels ("" among them
/// where none of the policy's must fit). A Pod's annotation can still name another one.
std::vector<std::string> possible_environments(const api::Policy& policy, const api::Labels& namespace_labels,
                                               std::string_view cluster_name);
/// (listener's name, UpstreamChoice::environment) of the upstreams that serve these environments.
using UsedUpstreams = std::set<std::pair<std::string, std::string>>;
UsedUpstreams used_upstreams(const api::Policy& policy, const std::vector<std::string>& environments);

/// An upstream, and the key under which its backends stand in status.listeners[].environment.
struct UpstreamChoice {
  const api::Upstream* upstream = nullptr;  // borrowed from the listener
  std::string environment;                  // empty for the upstream that serves every environment
};

/// The first upstream that names the environment, then the first that names none; nullopt: there is none.
std::optional<UpstreamChoice> choose_upstream(const api::Listener& listener, std::string_view environment);

/// Every choice that any Pod could get, one per key: what the leader resolves and status lists.
std::vector<UpstreamChoice> upstream_choices(const api::Listener& listener);

}  // namespace ambassador::discovery
