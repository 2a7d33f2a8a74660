// Everything that is decided about one Pod before a byte of it is changed; admission and live configuration
// share it, which is why a Pod fresh from admission needs no patch afterwards. Pure.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/inject/annotations.hpp"
#include "operator/inject/mounts.hpp"
#include "operator/inject/render.hpp"
#include "operator/inject/select.hpp"
#include "operator/inject/variables.hpp"

namespace ambassador::inject {

/// The environment of one policy for a Pod: the annotation's, else detected.
std::string environment_for(const api::Policy& policy, const Overrides& overrides,
                            const api::Labels& namespace_labels, const api::Labels& pod_labels,
                            const Installation& installation);

/// The annotation names an environment that none of the policies has.
std::optional<Obstacle> unknown_environment(const std::vector<KnownPolicyPtr>& policies,
                                            const Overrides& overrides);

/// What only a new Pod can take, by subject: PodRecord::shape.
std::map<std::string, std::string> shape_of(const Settings& settings, const std::vector<Variable>& variables,
                                            const Mounts& mounts);

}  // namespace ambassador::inject
