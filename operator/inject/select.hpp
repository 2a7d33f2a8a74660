// Which policies a Pod gets. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/inject/annotations.hpp"
#include "operator/inject/known_policy.hpp"

namespace ambassador::inject {

/// Why a Pod cannot be injected: refused if it asked, let through without an ambassador if it is merely
/// selected.
struct Obstacle {
  std::string cause;    // a metric's label: "PolicyNotFound", "HostNetwork", ...
  std::string message;  // field, value and way out
  friend bool operator==(const Obstacle&, const Obstacle&) = default;
};

struct Selection {
  std::vector<KnownPolicyPtr> policies;  // in order of precedence; all valid unless there is an obstacle
  std::optional<Obstacle> obstacle;
  bool policies_missing = false;  // what is not there may be there in a moment
};

/// @param policies every policy of the namespace and every ClusterAmbassadorPolicy, in any order
Selection select_policies(const Wish& wish, const std::vector<KnownPolicyPtr>& policies,
                          const std::string& ns, const api::Labels& namespace_labels,
                          const api::Labels& pod_labels);

}  // namespace ambassador::inject
