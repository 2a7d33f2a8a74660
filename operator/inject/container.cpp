#include "operator/inject/container.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "operator/api/document.hpp"
#include "operator/api/names.hpp"

namespace ambassador::inject {
namespace {

using api::text_at;
using nlohmann::json;

// The application waits for startupProbe, so it asks often; a proxy that has not bound its ports after two
// minutes is restarted.
constexpr int kStartupPeriod = 1;  // seconds, as all below
constexpr int kStartupFailures = 120;
constexpr int kLivenessPeriod = 10;
constexpr int kReadinessPeriod = 5;
constexpr int kProbeTimeout = 3;

/// Readable by the proxy's user whatever the Pod's fsGroup is; only the ambassador mounts the volume.
constexpr int kSecretMode = 0444;

/// The classic form's start gate, in postStart: the next container starts when it has ended. It waits as long
/// as the startupProbe does.
json start_gate(const Installation& installation) {
  return json::array({api::kProxyProgram, "probe", "--wait",
                      std::to_string(kStartupPeriod * kStartupFailures) + "s", "--port",
                      std::to_string(installation.health_port)});
}

json probe(std::string_view path, const Installation& installation, int period, int failures) {
  return {{"httpGet", {{"path", path}, {"port", installation.health_port}}},
          {"periodSeconds", period},
          {"timeoutSeconds", kProbeTimeout},
          {"failureThreshold", failures}};
}

json resources_json(const api::Resources& resources) {
  json limits = json::object();
  json requests = json::object();
  if (resources.cpu_request) requests["cpu"] = resources.cpu_request->text();
  if (resources.memory_request) requests["memory"] = resources.memory_request->text();
  if (resources.cpu_limit) limits["cpu"] = resources.cpu_limit->text();
  if (resources.memory_limit) limits["memory"] = resources.memory_limit->text();
  return {{"requests", std::move(requests)}, {"limits", std::move(limits)}};
}

json security() {
  return {{"allowPrivilegeEscalation", false},
          {"capabilities", {{"drop", json::array({"ALL"})}}},
          {"privileged", false},
          {"readOnlyRootFilesystem", true},
          {"runAsNonRoot", true},
          {"runAsUser", api::kProxyUser},
          {"runAsGroup", api::kProxyUser},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

}  // namespace

json container_json(const Settings& settings, const Installation& installation, const Mounts& mounts) {
  json container = {
      {"name", api::kContainerName},
      {"image", settings.image},
      {"args", api::kProxyArguments},
      {"ports", json::array({{{"name", api::kHealthPortName},
                              {"containerPort", installation.health_port},
                              {"protocol", "TCP"}}})},
      {"resources", resources_json(settings.resources)},
      {"securityContext", security()},
      {"startupProbe", probe(api::kStartupPath, installation, kStartupPeriod, kStartupFailures)},
      {"livenessProbe", probe(api::kLivenessPath, installation, kLivenessPeriod, 3)},
      {"readinessProbe", probe(api::kReadinessPath, installation, kReadinessPeriod, 2)},
      {"terminationMessagePolicy", "FallbackToLogsOnError"},
      {"volumeMounts",
       json::array({{{"name", api::kConfigVolume}, {"mountPath", api::kConfigFolder}, {"readOnly", true}}})}};
  if (mounts.sockets) container["volumeMounts"].push_back(socket_mount(false));
  if (!mounts.secrets.empty()) {
    container["volumeMounts"].push_back(
        {{"name", api::kSecretVolume}, {"mountPath", api::kSecretFolder}, {"readOnly", true}});
  }
  if (!installation.image_pull_policy.empty()) container["imagePullPolicy"] = installation.image_pull_policy;
  for (const auto& [name, value] : installation.proxy_env) {
    container["env"].push_back({{"name", name}, {"value", value}});
  }
  if (settings.native) {
    container["restartPolicy"] = "Always";
  } else {
    container["lifecycle"] = {{"postStart", {{"exec", {{"command", start_gate(installation)}}}}}};
  }
  return container;
}

json config_volume() {
  const json item = {
      {"path", api::kConfigFile},
      {"fieldRef", {{"fieldPath", "metadata.annotations['" + std::string(api::kConfig) + "']"}}}};
  return {{"name", api::kConfigVolume}, {"downwardAPI", {{"items", json::array({item})}}}};
}

json socket_volume() {
  return {{"name", api::kSocketVolume}, {"emptyDir", json::object()}};
}

json socket_mount(bool read_only) {
  json mount = {{"name", api::kSocketVolume}, {"mountPath", api::kSocketFolder}};
  if (read_only) mount["readOnly"] = true;
  return mount;
}

json secret_volume(const std::vector<SecretFile>& files) {
  json sources = json::array();
  const SecretFile* last = nullptr;
  for (const auto& file : files) {
    // `optional` belongs to a source, so one Secret may be there twice.
    if (last == nullptr || last->secret != file.secret || last->optional != file.optional) {
      json secret = {{"name", file.secret}, {"items", json::array()}};
      if (file.optional) secret["optional"] = true;
      sources.push_back({{"secret", std::move(secret)}});
    }
    sources.back()["secret"]["items"].push_back({{"key", file.key}, {"path", file.path}});
    last = &file;
  }
  return {{"name", api::kSecretVolume},
          {"projected", {{"defaultMode", kSecretMode}, {"sources", std::move(sources)}}}};
}

bool is_ours(const json& container) {
  if (text_at(container, "name") != api::kContainerName) return false;
  if (api::member(container, "args") != json(api::kProxyArguments)) return false;
  return std::ranges::any_of(api::list_at(container, "volumeMounts"), [](const json& mount) {
    return text_at(mount, "name") == api::kConfigVolume && text_at(mount, "mountPath") == api::kConfigFolder;
  });
}

}  // namespace ambassador::inject
