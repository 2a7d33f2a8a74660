// Every name that users, the chart, admission and the controllers must spell alike. Constants only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ambassador::api {

inline constexpr std::string_view kGroup = "ambassador.dev";
inline constexpr std::string_view kVersion = "v1alpha1";
inline constexpr std::string_view kApiVersion = "ambassador.dev/v1alpha1";
inline constexpr std::string_view kKind = "AmbassadorPolicy";
inline constexpr std::string_view kPlural = "ambassadorpolicies";
inline constexpr std::string_view kClusterKind = "ClusterAmbassadorPolicy";
inline constexpr std::string_view kClusterPlural = "clusterambassadorpolicies";
inline constexpr std::string_view kFieldManager = "ambassador-operator";

/// All of our annotations and labels start with this.
inline constexpr std::string_view kPrefix = "ambassador.dev/";

// On Pods, written by users.
inline constexpr std::string_view kInject = "ambassador.dev/inject";            // "true" or "false"
inline constexpr std::string_view kPolicy = "ambassador.dev/policy";            // "a,cluster/b"
inline constexpr std::string_view kEnvironment = "ambassador.dev/environment";  // overrides detection
inline constexpr std::string_view kCpuRequest = "ambassador.dev/cpu-request";
inline constexpr std::string_view kCpuLimit = "ambassador.dev/cpu-limit";
inline constexpr std::string_view kMemoryRequest = "ambassador.dev/memory-request";
inline constexpr std::string_view kMemoryLimit = "ambassador.dev/memory-limit";
inline constexpr std::string_view kLogLevel = "ambassador.dev/log-level";
inline constexpr std::string_view kDrainTimeout = "ambassador.dev/drain-timeout";
inline constexpr std::string_view kReadiness = "ambassador.dev/readiness";
inline constexpr std::string_view kContainerMode = "ambassador.dev/container-mode";
inline constexpr std::string_view kProxyImage = "ambassador.dev/proxy-image";
/// Before a name in the policy annotation: a ClusterAmbassadorPolicy.
inline constexpr std::string_view kClusterPolicyPrefix = "cluster/";

// On Pods, written by the operator alone (the chart's ValidatingAdmissionPolicy guards them on UPDATE).
inline constexpr std::string_view kConfig = "ambassador.dev/config";
inline constexpr std::string_view kStatus = "ambassador.dev/status";
inline constexpr std::string_view kInjectedLabel = "ambassador.dev/injected";  // value "true"

/// On Services: the namespaces whose policies may use it, "shop, checkout" or "*".
inline constexpr std::string_view kAllowedNamespaces = "ambassador.dev/allowed-namespaces";

/// Every annotation that a Pod may carry; another one with our prefix is a spelling mistake and is refused.
inline constexpr std::array kPodAnnotations = {
    kInject,   kPolicy,       kEnvironment, kCpuRequest,    kCpuLimit,   kMemoryRequest, kMemoryLimit,
    kLogLevel, kDrainTimeout, kReadiness,   kContainerMode, kProxyImage, kConfig,        kStatus};

// Kubernetes' own.
inline constexpr std::string_view kMirrorPod = "kubernetes.io/config.mirror";
inline constexpr std::string_view kDefaultContainer = "kubectl.kubernetes.io/default-container";

// What is injected.
inline constexpr std::string_view kContainerName = "ambassador-container";
inline constexpr std::string_view kConfigVolume = "ambassador-config";
inline constexpr std::string_view kConfigFolder = "/etc/ambassador";
inline constexpr std::string_view kConfigFile = "config.json";
inline constexpr std::string_view kSocketVolume = "ambassador-sockets";
inline constexpr std::string_view kSocketFolder = "/run/ambassador";
inline constexpr std::string_view kSecretVolume = "ambassador-secrets";
/// Not below kConfigFolder: a mount within a read-only mount depends on what the container runtime makes of
/// it.
inline constexpr std::string_view kSecretFolder = "/etc/ambassador-secrets";
/// Keys of the Secrets that a listener's `credentials`, `clientAuth` and `listenerTLS` name; the files have
/// these names too.
inline constexpr std::string_view kUsernameKey = "username";
inline constexpr std::string_view kPasswordKey = "password";
inline constexpr std::string_view kCertificateKey = "tls.crt";
inline constexpr std::string_view kPrivateKeyKey = "tls.key";
/// The file of the CA, whatever its key in its Secret.
inline constexpr std::string_view kCaFile = "ca.crt";
/// In the listener's folder: what is for its clients, of `clientAuth` and of `listenerTLS`.
inline constexpr std::string_view kClientsFolder = "clients";
/// The proxy image's ENTRYPOINT is ["ambassador-proxy"], which is on its PATH; these are its arguments.
inline constexpr std::string_view kProxyProgram = "ambassador-proxy";
inline constexpr std::array<std::string_view, 2> kProxyArguments = {"--config",
                                                                    "/etc/ambassador/config.json"};
inline constexpr std::string_view kStartupPath = "/startupz";
inline constexpr std::string_view kLivenessPath = "/livez";
inline constexpr std::string_view kReadinessPath = "/readyz";
inline constexpr std::int64_t kProxyUser = 65532;                  // the image's non-root user and group
inline constexpr std::string_view kHealthPortName = "amb-health";  // for a PodMonitor; at most 15 characters
inline constexpr std::uint16_t kAdminPort = 19900;
inline constexpr std::uint16_t kHealthPort = 19901;

/// The most that ambassador.dev/config may hold, in bytes: half of what all annotations of a Pod may hold
/// together (apimachinery, TotalAnnotationSizeLimitB = 256 KiB).
inline constexpr std::size_t kMaxConfigBytes = std::size_t{128} * 1024;

// Webhook paths (fixed by the chart's webhook configurations).
inline constexpr std::string_view kMutatePath = "/mutate--v1-pod";
inline constexpr std::string_view kValidatePath = "/validate-ambassador-dev-v1alpha1-ambassadorpolicy";

}  // namespace ambassador::api
