#include "operator/inject/obstacles.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "common/config/parse.hpp"
#include "operator/api/document.hpp"
#include "operator/api/names.hpp"
#include "operator/discovery/environment.hpp"
#include "operator/inject/container.hpp"

namespace ambassador::inject {
namespace {

using api::list_at;
using api::member;
using api::text_at;
using nlohmann::json;

constexpr std::array kContainerKinds = {"containers", "initContainers"};
constexpr std::array kVolumes = {api::kConfigVolume, api::kSocketVolume, api::kSecretVolume};

/// Null, or of the type asked for.
bool list_or_none(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_null() || value.is_array();
}

bool map_or_none(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_null() || value.is_object();
}

bool containers_fit(const json& spec) {
  for (const char* kind : kContainerKinds) {
    for (const auto& container : list_at(spec, kind)) {
      if (!container.is_object() || !list_or_none(container, "env") ||
          !list_or_none(container, "volumeMounts")) {
        return false;
      }
    }
  }
  return true;
}

/// "listener shop-data.cache"
std::string listener_text(const api::PolicyKey& key, const api::Listener& listener) {
  return "listener " + key.listener_key(listener.name);
}

/// Where a policy gives one of a listener's ports().
std::string field_of(const api::Listener& listener, std::uint16_t port) {
  return port == listener.port ? "port" : "postgresql.readPort";
}

Obstacle port_in_use(const std::string& container, std::uint16_t port, const std::string& whose) {
  return {"PortInUse", "container " + container + " declares port " + std::to_string(port) + ", " + whose};
}

/// Which container declares a TCP port; empty for none.
std::string declared_by(const json& pod, std::uint16_t port) {
  for (const char* kind : kContainerKinds) {
    for (const auto& container : list_at(member(pod, "spec"), kind)) {
      if (text_at(container, "name") == api::kContainerName) continue;
      for (const auto& one : list_at(container, "ports")) {
        const auto protocol = text_at(one, "protocol");
        if ((protocol.empty() || protocol == "TCP") && api::port_at(one, "containerPort") == port) {
          return text_at(container, "name");
        }
      }
    }
  }
  return "";
}

}  // namespace

std::optional<Obstacle> malformed(const json& pod) {
  const json& metadata = member(pod, "metadata");
  const json& spec = member(pod, "spec");
  const bool fits = pod.is_object() && metadata.is_object() && map_or_none(metadata, "annotations") &&
                    map_or_none(metadata, "labels") && spec.is_object() && list_or_none(spec, "containers") &&
                    list_or_none(spec, "initContainers") && list_or_none(spec, "volumes") &&
                    list_or_none(spec, "imagePullSecrets") && containers_fit(spec);
  if (fits) return std::nullopt;
  return Obstacle{"Malformed", "the object is no Pod: metadata, spec or a list in it is of another type"};
}

std::optional<Obstacle> unfit(const json& pod) {
  const json& spec = member(pod, "spec");
  if (member(spec, "hostNetwork") == true) {
    return Obstacle{"HostNetwork",
                    "spec.hostNetwork is true: the ambassador's listeners would be open to the whole "
                    "node; use the Pod's own network, or drop the annotation"};
  }
  if (text_at(member(spec, "os"), "name") == "windows" ||
      text_at(member(spec, "nodeSelector"), "kubernetes.io/os") == "windows") {
    return Obstacle{"Windows",
                    "the Pod is for Windows, and the ambassador's image for Linux: drop the annotation"};
  }
  bool ours = false;
  for (const char* kind : kContainerKinds) {
    for (const auto& container : list_at(spec, kind)) {
      if (text_at(container, "name") != api::kContainerName) continue;
      ours = is_ours(container);
      if (ours) continue;
      return Obstacle{"ContainerNameTaken",
                      "spec." + std::string(kind) + " holds a container named \"" +
                          std::string(api::kContainerName) +
                          "\", the ambassador's name: rename it or drop the annotation"};
    }
  }
  for (const auto& volume : list_at(spec, "volumes")) {
    const auto name = text_at(volume, "name");
    if (!ours && std::ranges::find(kVolumes, name) != kVolumes.end()) {
      return Obstacle{"VolumeNameTaken",
                      "spec.volumes holds \"" + name +
                          "\", the name of a volume of the ambassador: rename it or drop the "
                          "annotation"};
    }
  }
  return std::nullopt;
}

std::optional<Obstacle> port_taken(const std::vector<KnownPolicyPtr>& policies, const json& pod,
                                   const Installation& installation) {
  std::map<std::uint16_t, std::string> taken = {{installation.admin_port, "the ambassador's admin port"},
                                                {installation.health_port, "the ambassador's health port"}};
  for (const auto& [port, what] : taken) {
    if (const auto container = declared_by(pod, port); !container.empty()) {
      return port_in_use(container, port, "which is " + what + ": move it to another port");
    }
  }
  std::size_t count = 0;
  for (const auto& known : policies) {
    const auto& policy = known->spec();
    for (const auto& listener : policy.listeners) {
      const std::string name = listener_text(policy.key, listener);
      for (const auto port : api::ports(listener)) {
        const std::string field = field_of(listener, port);
        if (const auto container = declared_by(pod, port); !container.empty()) {
          std::string what = "the " + field;
          what.append(" of ").append(name).append(": move one of them to another port (spec.listeners[].");
          what.append(field).append(" of the policy)");
          return port_in_use(container, port, what);
        }
        const auto [other, free] = taken.emplace(port, name);
        if (!free) {
          std::string what = name;
          what.append(" has ").append(field);
          what.append(" ")
              .append(std::to_string(port))
              .append(", which is also that of ")
              .append(other->second);
          what.append(": give one of them another port, or name fewer policies");
          return Obstacle{"PortInUse", what};
        }
        ++count;
      }
    }
  }
  if (count <= config::kMaxListeners) return std::nullopt;
  return Obstacle{"TooManyListeners", std::to_string(count) +
                                          " listeners are too many for one Pod: name policies with " +
                                          std::to_string(config::kMaxListeners) + " or fewer together"};
}

std::optional<Obstacle> no_way(const PlacedPolicy& placed) {
  const auto& policy = placed.policy->spec();
  for (const auto& listener : policy.listeners) {
    const auto choice = discovery::choose_upstream(listener, placed.environment);
    if (!choice) {
      const std::string where = placed.environment.empty()
                                    ? "no environment of the policy matches this Pod"
                                    : "this Pod's environment is \"" + placed.environment + "\"";
      return Obstacle{"NoUpstream", listener_text(policy.key, listener) + " has no upstream here, because " +
                                        where + ": add an upstream for it, or one without environments"};
    }
    const auto* resolved = discovery::find(placed.policy->listeners, listener.name, choice->environment);
    if (resolved != nullptr && resolved->reason == discovery::kRefNotPermitted) {
      return Obstacle{std::string(discovery::kRefNotPermitted),
                      listener_text(policy.key, listener) + ": " + resolved->message};
    }
  }
  return std::nullopt;
}

}  // namespace ambassador::inject
