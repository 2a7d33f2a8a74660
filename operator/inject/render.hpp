// Policies and a Pod -> the proxy's configuration. The same code writes it at admission and afterwards, so
// that a Pod that is up to date is never patched.
#pragma once

#include <string>
#include <vector>

#include "common/config/document.hpp"
#include "operator/inject/installation.hpp"
#include "operator/inject/known_policy.hpp"

namespace ambassador::inject {

/// A policy on a Pod with the environment that was pinned at CREATE.
struct PlacedPolicy {
  KnownPolicyPtr policy;    // parsed without problems
  std::string environment;  // empty: none matched
};

/// What the configuration takes from the Pod: pod_facts.hpp reads it from the document.
struct PodFacts {
  bool sockets = true;  // the shared socket volume is mounted (decided at CREATE)
  std::chrono::seconds grace_period{30};
  std::vector<std::uint16_t> declared_ports;  // TCP containerPorts of the application's containers
  api::ProxySettings overrides;               // from annotations
  bool shutdown = false;                      // classic container: all others have ended
};

/// Listeners in order of the policies, then of the policy; backends from status, empty where not resolved.
/// `policies` is in order of precedence: annotation order, else by name.
config::Document render_config(const std::vector<PlacedPolicy>& policies, const PodFacts& pod,
                               const Installation& installation);

/// The bytes of the annotation ambassador.dev/config.
std::string config_text(const config::Document& document);

}  // namespace ambassador::inject
