// Conditions of a Kubernetes object: their order, their times. Pure. Within this room and for whoever tests
// it. https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace ambassador::status {

struct Condition {
  std::string type;    // "Ready", "Accepted", ...
  std::string status;  // "True", "False", "Unknown"
  std::string reason;  // CamelCase
  std::string message;
};

/// The list as JSON. lastTransitionTime is that of the previous list where the status is the same (reason and
/// message may change without it: metav1.Condition), else `now`. Conditions that are not given disappear.
nlohmann::json conditions_json(const std::vector<Condition>& conditions, const nlohmann::json& previous,
                               std::int64_t generation, const std::string& now);

}  // namespace ambassador::status
