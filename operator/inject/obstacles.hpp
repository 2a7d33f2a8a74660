// What keeps a Pod from being injected, each with its way out. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "operator/inject/installation.hpp"
#include "operator/inject/render.hpp"
#include "operator/inject/select.hpp"

namespace ambassador::inject {

/// The document is a Pod as far as injection touches it (the API server sends no other; others may).
std::optional<Obstacle> malformed(const nlohmann::json& pod);

/// Host network, Windows, a container or volume that has a name of ours.
std::optional<Obstacle> unfit(const nlohmann::json& pod);

/// A listener's port, or one of the ambassador's own, that a container declares or two policies share.
std::optional<Obstacle> port_taken(const std::vector<KnownPolicyPtr>& policies, const nlohmann::json& pod,
                                   const Installation& installation);

/// A listener without upstream for its environment, or whose owner has not consented.
std::optional<Obstacle> no_way(const PlacedPolicy& placed);

}  // namespace ambassador::inject
