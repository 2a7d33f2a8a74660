#include "operator/kube/lease_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ambassador::kube {

namespace {
long whole_seconds(std::chrono::milliseconds duration) {
  // Lease durations are whole seconds, at least 1 (validated by the API server).
  return std::max(1L, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(duration).count()));
}
}  // namespace

LeaseVerdict judge_lease(const Json& lease, std::string_view identity,
                         std::chrono::milliseconds unchanged_for) {
  const std::string holder = string_at(lease, {"spec", "holderIdentity"});
  if (holder == identity) return LeaseVerdict::renew;
  if (holder.empty()) return LeaseVerdict::take;
  const Json* duration = at(lease, {"spec", "leaseDurationSeconds"});
  const long seconds =
      duration != nullptr && duration->is_number_integer() ? std::max(1L, duration->get<long>()) : 15;
  return unchanged_for > std::chrono::seconds(seconds) ? LeaseVerdict::take : LeaseVerdict::wait;
}

std::string lease_fingerprint(const Json& lease) {
  return string_at(lease, {"spec", "holderIdentity"}) + "@" + string_at(lease, {"spec", "renewTime"});
}

Json claim_lease(const Json& current, std::string_view name_space, std::string_view name,
                 std::string_view identity, std::chrono::milliseconds duration, std::string_view now) {
  Json lease = current.is_object() ? current : Json::object();
  lease["apiVersion"] = "coordination.k8s.io/v1";
  lease["kind"] = "Lease";
  lease["metadata"]["name"] = name;
  lease["metadata"]["namespace"] = name_space;
  lease["metadata"].erase("managedFields");
  Json& spec = lease["spec"];
  if (!spec.is_object()) spec = Json::object();
  const bool ours = string_at(lease, {"spec", "holderIdentity"}) == identity;
  if (!ours) {
    const Json* transitions = at(lease, {"spec", "leaseTransitions"});
    const long before =
        transitions != nullptr && transitions->is_number_integer() ? transitions->get<long>() : -1;
    spec["leaseTransitions"] = before + 1;
    spec["acquireTime"] = now;
  }
  spec["holderIdentity"] = identity;
  spec["leaseDurationSeconds"] = whole_seconds(duration);
  spec["renewTime"] = now;
  return lease;
}

Json release_lease(const Json& current, std::string_view now) {
  Json lease = current;
  lease["metadata"].erase("managedFields");
  Json& spec = lease["spec"];
  spec["holderIdentity"] = "";
  spec["leaseDurationSeconds"] = 1;
  spec["renewTime"] = now;
  spec["acquireTime"] = now;
  return lease;
}

}  // namespace ambassador::kube
