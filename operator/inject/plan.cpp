#include "operator/inject/plan.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "operator/api/hash.hpp"
#include "operator/api/names.hpp"
#include "operator/discovery/environment.hpp"
#include "operator/inject/record.hpp"

namespace ambassador::inject {

std::string environment_for(const api::Policy& policy, const Overrides& overrides,
                            const api::Labels& namespace_labels, const api::Labels& pod_labels,
                            const Installation& installation) {
  if (overrides.environment) return *overrides.environment;
  return discovery::detect_environment(policy, namespace_labels, pod_labels, installation.cluster_name);
}

std::optional<Obstacle> unknown_environment(const std::vector<KnownPolicyPtr>& policies,
                                            const Overrides& overrides) {
  if (!overrides.environment) return std::nullopt;
  std::string declared;
  for (const auto& policy : policies) {
    for (const auto& environment : policy->spec().environments) {
      if (environment.name == *overrides.environment) return std::nullopt;
      declared += (declared.empty() ? "" : ", ") + environment.name;
    }
  }
  return Obstacle{"InvalidAnnotation", "annotation " + std::string(api::kEnvironment) + ": \"" +
                                           *overrides.environment +
                                           "\" is no environment of this Pod's policies (" +
                                           (declared.empty() ? "they have none" : "they have: " + declared) +
                                           "): name one of theirs, or remove the annotation"};
}

std::map<std::string, std::string> shape_of(const Settings& settings, const std::vector<Variable>& variables,
                                            const Mounts& mounts) {
  const auto size = [](const std::optional<api::Quantity>& quantity) {
    return quantity ? std::to_string(quantity->milli()) : std::string();
  };
  const auto& resources = settings.resources;
  const nlohmann::json sizes = {size(resources.cpu_request), size(resources.cpu_limit),
                                size(resources.memory_request), size(resources.memory_limit)};
  nlohmann::json names = nlohmann::json::object();
  for (const auto& variable : variables) names[variable.name] = variable.value;
  std::map<std::string, std::string> shape = {{"mode", settings.native ? "NativeSidecar" : "Container"},
                                              {"resources", api::json_hash(sizes)},
                                              {"sockets", mounts.sockets ? "Enabled" : "Disabled"},
                                              {"variables", api::json_hash(names)}};
  if (!mounts.secrets.empty()) shape.emplace(kSecretsSubject, text_of(mounts.secrets));
  return shape;
}

}  // namespace ambassador::inject
