#include "operator/certs/webhook_trust.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "operator/certs/inspect.hpp"
#include "operator/kube/base64.hpp"
#include "operator/kube/object.hpp"

namespace ambassador::certs {

namespace {

const nlohmann::json& webhooks_of(const nlohmann::json& configuration) {
  static const nlohmann::json none = nlohmann::json::array();
  const auto* found = kube::at(configuration, {"webhooks"});
  return found != nullptr && found->is_array() ? *found : none;
}

std::string bundle_of_webhook(const nlohmann::json& webhook) {
  return kube::base64_decode(kube::string_at(webhook, {"clientConfig", "caBundle"})).value_or("");
}

bool holds(const std::vector<Certificate>& have, const Certificate& wanted) {
  return std::any_of(have.begin(), have.end(), [&](const auto& one) { return one.pem == wanted.pem; });
}

}  // namespace

bool trusts(const nlohmann::json& configuration, const std::string& bundle) {
  const auto wanted = read_certificates(bundle);
  const auto& webhooks = webhooks_of(configuration);
  if (wanted.empty() || webhooks.empty()) return false;
  return std::all_of(webhooks.begin(), webhooks.end(), [&](const nlohmann::json& webhook) {
    const auto have = read_certificates(bundle_of_webhook(webhook));
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& ca) { return holds(have, ca); });
  });
}

std::optional<nlohmann::json> trust_to_apply(const nlohmann::json& configuration, const std::string& bundle) {
  const auto& webhooks = webhooks_of(configuration);
  if (bundle.empty() || webhooks.empty() || trusts(configuration, bundle)) return std::nullopt;
  nlohmann::json entries = nlohmann::json::array();
  for (const auto& webhook : webhooks) {
    entries.push_back({{"name", kube::string_at(webhook, {"name"})},
                       {"clientConfig", {{"caBundle", kube::base64_encode(bundle)}}}});
  }
  return nlohmann::json{{"apiVersion", kube::string_at(configuration, {"apiVersion"})},
                        {"kind", kube::string_at(configuration, {"kind"})},
                        {"metadata", {{"name", kube::name_of(configuration)}}},
                        {"webhooks", std::move(entries)}};
}

std::string bundle_of(const nlohmann::json& configuration) {
  const auto& webhooks = webhooks_of(configuration);
  return webhooks.empty() ? "" : bundle_of_webhook(webhooks.front());
}

bool has_match_conditions(const nlohmann::json& configuration) {
  const auto& webhooks = webhooks_of(configuration);
  return !webhooks.empty() && std::all_of(webhooks.begin(), webhooks.end(), [](const auto& webhook) {
    const auto* conditions = kube::at(webhook, {"matchConditions"});
    return conditions != nullptr && conditions->is_array() && !conditions->empty();
  });
}

}  // namespace ambassador::certs
