#include "operator/inject/settings.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/config/duration.hpp"
#include "operator/api/document.hpp"
#include "operator/api/names.hpp"
#include "operator/api/spelling.hpp"

namespace ambassador::inject {
namespace {

using api::member;
using api::Quantity;
using api::Resources;
using nlohmann::json;

/// Puts `over` on top of `base`; where request and limit then contradict, the one that was given on top wins.
void overlay(std::optional<Quantity>& request, std::optional<Quantity>& limit,
             const std::optional<Quantity>& over_request, const std::optional<Quantity>& over_limit) {
  if (over_request) request = over_request;
  if (over_limit) limit = over_limit;
  if (!request || !limit || *request <= *limit) return;
  if (over_limit) {
    request = limit;
  } else {
    limit = request;
  }
}

void overlay(Resources& base, const Resources& over) {
  overlay(base.cpu_request, base.cpu_limit, over.cpu_request, over.cpu_limit);
  overlay(base.memory_request, base.memory_limit, over.memory_request, over.memory_limit);
}

void raise(std::optional<Quantity>& largest, const std::optional<Quantity>& other) {
  if (other && (!largest || *other > *largest)) largest = other;
}

Resources largest_of(const std::vector<KnownPolicyPtr>& policies) {
  Resources largest;
  for (const auto& policy : policies) {
    const auto& said = policy->spec().proxy.resources;
    raise(largest.cpu_request, said.cpu_request);
    raise(largest.cpu_limit, said.cpu_limit);
    raise(largest.memory_request, said.memory_request);
    raise(largest.memory_limit, said.memory_limit);
  }
  return largest;
}

Resources resources_of(const std::vector<KnownPolicyPtr>& policies, const Overrides& overrides,
                       const Installation& installation, bool guaranteed) {
  Resources resources;
  resources.cpu_request = Quantity::parse(kDefaultCpuRequest);
  resources.memory_request = Quantity::parse(kDefaultMemoryRequest);
  resources.memory_limit = Quantity::parse(kDefaultMemoryLimit);
  overlay(resources, installation.resources);
  overlay(resources, largest_of(policies));
  overlay(resources, overrides.proxy.resources);
  if (guaranteed) {
    if (!resources.cpu_limit) resources.cpu_limit = resources.cpu_request;
    resources.cpu_request = resources.cpu_limit;
    resources.memory_request = resources.memory_limit;
  }
  return resources;
}

/// The first policy that says something about a scalar; the others that say something else are noted.
template <class T, class Print>
std::optional<T> first_said(const std::vector<KnownPolicyPtr>& policies,
                            std::optional<T> api::ProxySettings::*field, const char* name, Print print,
                            std::vector<std::string>& differences) {
  std::optional<T> first;
  std::string first_policy;
  for (const auto& known : policies) {
    const auto& policy = known->spec();
    const auto& said = policy.proxy.*field;
    if (!said) continue;
    if (!first) {
      first = said;
      first_policy = policy.key.reference();
    } else if (*said != *first) {
      differences.push_back("proxy." + std::string(name) + " " + std::string(print(*said)) + " of " +
                            policy.key.reference() + " is ignored, because " + std::string(print(*first)) +
                            " of " + first_policy + " comes first");
    }
  }
  return first;
}

bool native(api::ContainerMode mode, const Installation& installation) {
  if (mode == api::ContainerMode::automatic) mode = installation.container_mode;
  if (mode != api::ContainerMode::automatic) return mode == api::ContainerMode::native_sidecar;
  const auto knows = [](unsigned minor) { return minor == 0 || minor >= kNativeSidecarMinor; };
  return knows(installation.api_server_minor) && knows(installation.oldest_node_minor);
}

bool guaranteed(const json& container) {
  const auto quantity = [&](const char* kind, const char* resource) -> std::optional<Quantity> {
    const json& value = member(container, "resources", kind, resource);
    if (value.is_string()) return Quantity::parse(value.get_ref<const std::string&>());
    if (value.is_number()) return Quantity::parse(value.dump());
    return std::nullopt;
  };
  return std::ranges::all_of(std::array{"cpu", "memory"}, [&](const char* resource) {
    const auto limit = quantity("limits", resource);
    const auto request = quantity("requests", resource);
    return limit && limit->milli() > 0 && (!request || *request == *limit);
  });
}

}  // namespace

Settings settle(const std::vector<KnownPolicyPtr>& policies, const Overrides& overrides,
                const Installation& installation, bool make_guaranteed) {
  using S = api::ProxySettings;
  Settings settings;
  auto& differences = settings.differences;
  const auto mode = first_said(
      policies, &S::container_mode, "containerMode",
      [](auto v) { return api::print(api::kContainerModes, v); }, differences);
  const auto level = first_said(
      policies, &S::log_level, "logLevel", [](auto v) { return api::print(api::kLogLevels, v); },
      differences);
  const auto drain = first_said(
      policies, &S::drain_timeout, "drainTimeout", [](auto v) { return config::print_duration(v); },
      differences);
  const auto readiness = first_said(
      policies, &S::readiness, "readiness", [](auto v) { return api::print(api::kReadinesses, v); },
      differences);
  const auto& over = overrides.proxy;
  settings.native =
      native(over.container_mode.value_or(mode.value_or(api::ContainerMode::automatic)), installation);
  settings.image = overrides.image.value_or(installation.proxy_image);
  settings.resources = resources_of(policies, overrides, installation, make_guaranteed);
  settings.log_level = over.log_level.value_or(level.value_or(settings.log_level));
  settings.drain_timeout = over.drain_timeout.value_or(drain.value_or(settings.drain_timeout));
  settings.readiness = over.readiness.value_or(readiness.value_or(settings.readiness));
  return settings;
}

bool all_guaranteed(const json& pod) {
  const json& spec = member(pod, "spec");
  bool all = true;
  for (const char* kind : {"containers", "initContainers"}) {
    for (const auto& container : api::list_at(spec, kind)) {
      if (api::text_at(container, "name") != api::kContainerName) all = all && guaranteed(container);
    }
  }
  return all;
}

}  // namespace ambassador::inject
