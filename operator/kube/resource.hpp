// Which collection of the API a call is about: group, version, plural. The ones that the operator uses are
// named here. Plain values.
#pragma once

#include <string>
#include <string_view>

namespace ambassador::kube {

struct Resource {
  std::string_view group;  // "" is the core group
  std::string_view version;
  std::string_view plural;  // as in the URL
  std::string_view kind;
  bool namespaced = true;
  friend bool operator==(const Resource&, const Resource&) = default;
};

/// The URL path: "/apis/apps/v1/namespaces/shop/statefulsets/redis-st/status". An empty namespace means all
/// of them (or a cluster-wide resource), an empty name the collection. Names are percent-encoded.
std::string path_of(const Resource& resource, std::string_view name_space, std::string_view name,
                    std::string_view subresource = "");
/// "apps/v1", or "v1" for the core group: the apiVersion of its objects.
std::string api_version_of(const Resource& resource);

namespace resources {
inline constexpr Resource pods{"", "v1", "pods", "Pod"};
inline constexpr Resource services{"", "v1", "services", "Service"};
inline constexpr Resource secrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource namespaces{"", "v1", "namespaces", "Namespace", false};
inline constexpr Resource nodes{"", "v1", "nodes", "Node", false};
inline constexpr Resource stateful_sets{"apps", "v1", "statefulsets", "StatefulSet"};
inline constexpr Resource endpoint_slices{"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"};
inline constexpr Resource leases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource events{"events.k8s.io", "v1", "events", "Event"};
inline constexpr Resource mutating_webhooks{"admissionregistration.k8s.io", "v1",
                                            "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
                                            false};
inline constexpr Resource validating_webhooks{"admissionregistration.k8s.io", "v1",
                                              "validatingwebhookconfigurations",
                                              "ValidatingWebhookConfiguration", false};
inline constexpr Resource policies{"ambassador.dev", "v1alpha1", "ambassadorpolicies", "AmbassadorPolicy"};
inline constexpr Resource cluster_policies{"ambassador.dev", "v1alpha1", "clusterambassadorpolicies",
                                           "ClusterAmbassadorPolicy", false};
}  // namespace resources

}  // namespace ambassador::kube
