// How the injected container of one Pod is set up, out of installation, policies and annotations. Pure.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "operator/inject/annotations.hpp"
#include "operator/inject/installation.hpp"
#include "operator/inject/known_policy.hpp"

namespace ambassador::inject {

struct Settings {
  bool native = true;
  std::string image;
  api::Resources resources;  // requests and the memory limit are always there
  config::LogLevel log_level = config::LogLevel::info;
  std::chrono::milliseconds drain_timeout{std::chrono::seconds(25)};
  config::Readiness readiness = config::Readiness::listeners;
  /// Where policies on the Pod differ: "proxy.logLevel of shop-data is ignored: Debug of shop-cache comes
  /// first".
  std::vector<std::string> differences;
};

/// Scalars come from the first policy that says something, resources from the largest, annotations win over
/// both.
/// @param policies valid ones, in order of precedence
/// @param guaranteed every container of the Pod is of class Guaranteed, and ours must be too
Settings settle(const std::vector<KnownPolicyPtr>& policies, const Overrides& overrides,
                const Installation& installation, bool guaranteed);

/// Is every container of the Pod but ours Guaranteed (limits of cpu and memory, requests equal to them)?
/// https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/#guaranteed
bool all_guaranteed(const nlohmann::json& pod);

}  // namespace ambassador::inject
