#include "operator/inject/record.hpp"

#include <nlohmann/json.hpp>

#include "operator/api/document.hpp"
#include "operator/api/names.hpp"

namespace ambassador::inject {
namespace {

using api::text_at;
using nlohmann::json;

api::PolicyKey read_key(const std::string& reference, const std::string& ns) {
  if (reference.starts_with(api::kClusterPolicyPrefix)) {
    return {"", reference.substr(api::kClusterPolicyPrefix.size())};
  }
  return {ns, reference};
}

}  // namespace

std::string record_text(const PodRecord& record) {
  json policies = json::array();
  for (const auto& policy : record.policies) {
    policies.push_back(
        {{"name", policy.key.reference()}, {"hash", policy.hash}, {"environment", policy.environment}});
  }
  const json object = {{"policies", std::move(policies)},
                       {"image", record.image},
                       {"configVersion", record.config_version},
                       {"shape", record.shape}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<PodRecord> read_record(const json& pod) {
  const json& metadata = api::member(pod, "metadata");
  const std::string text = text_at(api::member(metadata, "annotations"), api::kStatus);
  if (text.empty() || text.size() > api::kMaxConfigBytes) return std::nullopt;
  if (text_at(api::member(metadata, "labels"), api::kInjectedLabel) != "true") return std::nullopt;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  PodRecord record;
  for (const auto& policy : api::list_at(object, "policies")) {
    const std::string name = text_at(policy, "name");
    if (name.empty()) return std::nullopt;
    record.policies.push_back({read_key(name, text_at(metadata, "namespace")), text_at(policy, "hash"),
                               text_at(policy, "environment")});
  }
  record.image = text_at(object, "image");
  record.config_version = static_cast<int>(api::integer_at(object, "configVersion").value_or(0));
  for (const auto& [subject, value] : api::texts_at(object, "shape")) record.shape.emplace(subject, value);
  return record;
}

}  // namespace ambassador::inject
