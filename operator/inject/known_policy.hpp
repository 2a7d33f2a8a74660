// A policy as admission and live configuration know it: its spec as parsed and what status says of its
// backends.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "operator/api/parse.hpp"
#include "operator/discovery/resolved.hpp"

namespace ambassador::inject {

struct KnownPolicy {
  api::ParsedPolicy parsed;
  std::vector<discovery::ResolvedListener> listeners;  // status.listeners
  std::optional<unsigned> connections_per_pod;         // status.connectionsPerPod

  /// What it says. Only of one that parsed: all that select_policies() gives where it finds no obstacle.
  [[nodiscard]] const api::Policy& spec() const;
};

/// Immutable once made, so that admission's threads share it with the informer.
using KnownPolicyPtr = std::shared_ptr<const KnownPolicy>;

/// From an AmbassadorPolicy or ClusterAmbassadorPolicy document (spec and status).
KnownPolicyPtr know_policy(const nlohmann::json& document);

}  // namespace ambassador::inject
