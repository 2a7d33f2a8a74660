#include "operator/inject/apply.hpp"

#include <algorithm>
#include <optional>

#include "operator/api/document.hpp"
#include "operator/api/names.hpp"
#include "operator/inject/container.hpp"

namespace ambassador::inject {
namespace {

using api::list_at;
using api::member;
using api::text_at;
using nlohmann::json;
using pointer = json::json_pointer;

const pointer kAnnotations{"/metadata/annotations"};
const pointer kLabels{"/metadata/labels"};
const pointer kSpec{"/spec"};

bool has_named(const json& list, std::string_view name) {
  return std::ranges::any_of(list, [&](const json& one) { return text_at(one, "name") == name; });
}

/// Index of our container in spec.initContainers or spec.containers.
std::optional<std::size_t> own_index(const json& pod, const char* kind) {
  const json& list = list_at(member(pod, "spec"), kind);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (is_ours(list[i])) return i;
  }
  return std::nullopt;
}

void mount_sockets(Patch& patch, const pointer& container, std::vector<std::string>& warnings) {
  for (const auto& mount : list_at(patch.at(container), "volumeMounts")) {
    if (text_at(mount, "mountPath") != api::kSocketFolder) continue;
    if (text_at(mount, "name") != api::kSocketVolume) {
      warnings.push_back("container " + text_at(patch.at(container), "name") +
                         " mounts a volume of its own at " + std::string(api::kSocketFolder) +
                         ", which stays: it gets no Unix sockets");
    }
    return;
  }
  patch.append(container / "volumeMounts", socket_mount(true));
}

/// Variables and sockets for one of the application's containers.
void equip(Patch& patch, const pointer& container, const Injection& injection,
           std::vector<std::string>& warnings) {
  add_variables(patch, container, injection.variables, warnings);
  if (injection.mounts.sockets) mount_sockets(patch, container, warnings);
}

/// All of the application's containers that run after ours has started.
void equip_all(Patch& patch, const Injection& injection, bool native, std::vector<std::string>& warnings) {
  const std::size_t containers = list_at(member(patch.document(), "spec"), "containers").size();
  for (std::size_t i = 0; i < containers; ++i) {
    const pointer container = kSpec / "containers" / i;
    if (!is_ours(patch.at(container))) equip(patch, container, injection, warnings);
  }
  const std::size_t inits = list_at(member(patch.document(), "spec"), "initContainers").size();
  if (inits == 0) return;
  if (!native) {
    warnings.emplace_back(
        "init containers run before the ambassador, which is an ordinary container here, and get no "
        "variables");
    return;
  }
  const auto own = own_index(patch.document(), "initContainers");
  for (std::size_t i = own ? *own + 1 : 0; i < inits; ++i) {
    equip(patch, kSpec / "initContainers" / i, injection, warnings);
  }
}

void add_volume(Patch& patch, json volume) {
  if (!has_named(list_at(member(patch.document(), "spec"), "volumes"), text_at(volume, "name"))) {
    patch.append(kSpec / "volumes", std::move(volume));
  }
}

void add_pull_secrets(Patch& patch, const Installation& installation) {
  for (const auto& name : installation.image_pull_secrets) {
    if (has_named(list_at(member(patch.document(), "spec"), "imagePullSecrets"), name)) continue;
    patch.append(kSpec / "imagePullSecrets", {{"name", name}});
  }
}

/// So that kubectl exec and logs go to the application without -c.
void point_to_application(Patch& patch) {
  if (!patch.at(kAnnotations / std::string(api::kDefaultContainer)).is_null()) return;
  for (const auto& container : list_at(member(patch.document(), "spec"), "containers")) {
    const auto name = text_at(container, "name");
    if (name.empty() || name == api::kContainerName) continue;
    patch.set(kAnnotations, std::string(api::kDefaultContainer), name);
    return;
  }
}

}  // namespace

bool injected_already(const json& pod) {
  return own_index(pod, "initContainers") || own_index(pod, "containers");
}

void apply(Patch& patch, const Injection& injection, std::vector<std::string>& warnings) {
  const bool already = injected_already(patch.document());
  const bool native =
      already ? own_index(patch.document(), "initContainers").has_value() : injection.settings.native;
  equip_all(patch, injection, native, warnings);
  if (!already) {
    patch.insert_first(kSpec / (native ? "initContainers" : "containers"),
                       container_json(injection.settings, injection.installation, injection.mounts));
  }
  add_volume(patch, config_volume());
  if (injection.mounts.sockets) add_volume(patch, socket_volume());
  if (!injection.mounts.secrets.empty()) add_volume(patch, secret_volume(injection.mounts.secrets));
  add_pull_secrets(patch, injection.installation);
  point_to_application(patch);
  patch.set(kAnnotations, std::string(api::kConfig), injection.config);
  patch.set(kAnnotations, std::string(api::kStatus), injection.record);
  patch.set(kLabels, std::string(api::kInjectedLabel), "true");
}

void strip(Patch& patch) {
  patch.remove(kAnnotations, std::string(api::kConfig));
  patch.remove(kAnnotations, std::string(api::kStatus));
  patch.remove(kLabels, std::string(api::kInjectedLabel));
}

}  // namespace ambassador::inject
