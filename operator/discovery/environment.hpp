// Which environment a Pod is in, and which upstream a listener has there. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/policy.hpp"

namespace ambassador::discovery {

/// The name of the first of the policy's environments whose conditions all hold; empty where none does.
/// (The Pod annotation ambassador.dev/environment comes before this: see inject/decide.hpp.)
/// @param cluster_name the name given at install, may be empty
std::string detect_environment(const api::Policy& policy, const api::Labels& namespace_labels,
                               const api::Labels& pod_labels, std::string_view cluster_name);

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
