// What the installation decides for every Pod (chart values, facts about the cluster). Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operator/api/names.hpp"
#include "operator/api/policy.hpp"

namespace ambassador::inject {

struct Installation {
  std::string proxy_image;                      // chart: proxy.image
  std::string image_pull_policy;                // "", "Always", "IfNotPresent", "Never"
  std::vector<std::string> image_pull_secrets;  // names; they must exist in the Pods' namespaces
  std::vector<std::string> allowed_images;      // exact references that the annotation proxy-image may name
  api::Resources resources;  // chart: proxy.resources; gaps are filled with kDefault* below
  std::map<std::string, std::string> proxy_env;  // chart: proxy.extraEnv; in the ambassador alone, no secrets
  std::string cluster_name;                      // given at install, for environments[].clusterNames
  std::string cluster_domain = "cluster.local";
  api::ContainerMode container_mode = api::ContainerMode::automatic;
  /// Minor versions of Kubernetes 1.x: of the API server, and of the oldest schedulable node (0 = not known
  /// yet, counts as old enough, because the chart requires 1.30).
  unsigned api_server_minor = 0;
  unsigned oldest_node_minor = 0;
  std::uint16_t admin_port = api::kAdminPort;
  std::uint16_t health_port = api::kHealthPort;
};

/// Native sidecars: beta and on by default since 1.29, and the kubelet must know them too (KEP-753).
inline constexpr unsigned kNativeSidecarMinor = 29;

// Requests and a memory limit are always set: a namespace with a ResourceQuota refuses Pods without them.
inline constexpr const char* kDefaultCpuRequest = "50m";
inline constexpr const char* kDefaultMemoryRequest = "32Mi";
inline constexpr const char* kDefaultMemoryLimit = "128Mi";

}  // namespace ambassador::inject
