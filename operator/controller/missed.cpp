#include "operator/controller/missed.hpp"

#include <nlohmann/json.hpp>

#include "operator/api/names.hpp"
#include "operator/api/parse.hpp"
#include "operator/inject/decide.hpp"

namespace ambassador::controller {

std::optional<kube::SystemTime> accepted_since(const kube::Json& policy_document) {
  const kube::Json* conditions = kube::at(policy_document, {"status", "conditions"});
  if (conditions == nullptr || !conditions->is_array()) return std::nullopt;
  for (const auto& one : *conditions) {
    if (kube::string_at(one, {"type"}) != "Accepted" || kube::string_at(one, {"status"}) != "True") continue;
    return kube::parse_rfc3339(kube::string_at(one, {"lastTransitionTime"}));
  }
  return std::nullopt;
}

std::set<api::PolicyKey> missed_policies(const kube::Json& pod, const api::Labels& namespace_labels,
                                         const std::vector<kube::Object>& policy_documents) {
  std::set<api::PolicyKey> out;
  if (kube::is_being_deleted(pod) || kube::label_of(pod, api::kInjectedLabel) == "true") return out;
  if (kube::annotation_of(pod, api::kInject) == "false" || kube::annotation_of(pod, api::kMirrorPod))
    return out;
  const auto created = kube::parse_rfc3339(kube::string_at(pod, {"metadata", "creationTimestamp"}));
  if (!created) return out;
  api::Labels labels;
  for (auto& [key, value] : kube::labels_of(pod)) labels.emplace(key, std::move(value));
  for (const auto& document : policy_documents) {
    const auto accepted = accepted_since(*document);
    // Both times are cut to seconds: the same second may have been either order, and gets the benefit of the
    // doubt.
    if (!accepted || *created <= *accepted) continue;
    const auto parsed = api::parse_policy(*document);
    if (!parsed.policy || parsed.policy->repair == api::Repair::disabled) continue;
    if (inject::selects(*parsed.policy, kube::namespace_of(pod), namespace_labels, labels))
      out.insert(parsed.key);
  }
  return out;
}

}  // namespace ambassador::controller
