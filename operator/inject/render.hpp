// Policies and a Pod -> the proxy's configuration. The same code writes it at admission and afterwards, so
// that a Pod that is up to date is never patched.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "common/config/document.hpp"
#include "operator/inject/installation.hpp"
#include "operator/inject/known_policy.hpp"
#include "operator/inject/settings.hpp"

namespace ambassador::inject {

/// A policy on a Pod with the environment that was pinned at CREATE.
struct PlacedPolicy {
  KnownPolicyPtr policy;    // parsed without problems
  std::string environment;  // empty: none matched
};

/// What the configuration takes from the Pod; pod_facts() reads it from the document.
struct PodFacts {
  bool sockets = true;  // the shared socket volume is there (decided at CREATE)
  std::chrono::milliseconds grace_period{std::chrono::seconds(30)};
  std::set<std::uint16_t> declared_ports;  // TCP containerPorts of the application's containers
  bool shutdown = false;                   // classic container: all others have ended
};

/// From a Pod at CREATE (its sockets: true) or a running one.
PodFacts pod_facts(const nlohmann::json& pod);

/// Listeners in order of the policies, then of the policy; backends from status (empty where not resolved),
/// from the policy itself for `hosts`. A listener on a port that the application declares is left out: at
/// CREATE that is an obstacle, later the policy must not take a port away from under a running application.
/// @param policies in order of precedence: annotation order, else by name
config::Document render_config(const std::vector<PlacedPolicy>& policies, const Settings& settings,
                               const PodFacts& pod, const Installation& installation);

/// The bytes of the annotation ambassador.dev/config.
std::string config_text(const config::Document& document);

}  // namespace ambassador::inject
