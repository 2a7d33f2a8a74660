#include "operator/admission/versions.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace ambassador::admission {

unsigned minor_of(std::string_view version) {
  if (!version.starts_with("v1.")) return 0;
  version.remove_prefix(3);
  unsigned minor = 0;
  const auto read = std::from_chars(version.data(), version.data() + version.size(), minor);
  return read.ec == std::errc() ? minor : 0;
}

unsigned oldest_minor(const std::vector<kube::Object>& nodes) {
  unsigned oldest = 0;
  for (const auto& node : nodes) {
    const auto* unschedulable = kube::at(*node, {"spec", "unschedulable"});
    if (unschedulable != nullptr && *unschedulable == true) continue;
    const auto minor = minor_of(kube::string_at(*node, {"status", "nodeInfo", "kubeletVersion"}));
    if (minor != 0 && (oldest == 0 || minor < oldest)) oldest = minor;
  }
  return oldest;
}

}  // namespace ambassador::admission
