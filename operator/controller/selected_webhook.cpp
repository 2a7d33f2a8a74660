#include "operator/controller/selected_webhook.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "operator/api/names.hpp"
#include "operator/kube/base64.hpp"
#include "operator/kube/object.hpp"

namespace ambassador::controller {
namespace {

using nlohmann::json;

constexpr const char* kNamespaceName = "kubernetes.io/metadata.name";  // a label that every namespace has

/// Exactly what `annotated` takes is left to it, and who said no is not asked about.
constexpr const char* kNotAnnotated =
    "!(object.metadata.?annotations.orValue({}).exists(key, key.startsWith('ambassador.dev/')) || "
    "object.metadata.?labels.orValue({}).exists(key, key.startsWith('ambassador.dev/')))";
constexpr const char* kNoMirror =
    "!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))";

/// The matchExpressions that keep namespaces out, whoever wrote them.
json exclusions_of(const json& selector) {
  json out = json::array();
  const json* expressions = kube::at(selector, {"matchExpressions"});
  if (expressions == nullptr || !expressions->is_array()) return out;
  for (const auto& expression : *expressions) {
    if (expression.is_object()) out.push_back(expression);
  }
  return out;
}

json entry(const SelectedWebhook& webhook) {
  json expressions = exclusions_of(webhook.exclusions);
  expressions.push_back({{"key", kNamespaceName}, {"operator", "In"}, {"values", webhook.namespaces}});
  json client = {{"service",
                  {{"name", webhook.service},
                   {"namespace", webhook.service_namespace},
                   {"path", api::kMutatePath},
                   {"port", 443}}}};
  if (!webhook.ca_bundle.empty()) client["caBundle"] = kube::base64_encode(webhook.ca_bundle);
  return {
      {"name", kSelectedEntry},
      {"admissionReviewVersions", {"v1"}},
      {"clientConfig", client},
      {"rules", json::array({{{"apiGroups", {""}},
                              {"apiVersions", {"v1"}},
                              {"operations", {"CREATE"}},
                              {"resources", {"pods"}},
                              {"scope", "Namespaced"}}})},
      {"namespaceSelector", {{"matchExpressions", expressions}}},
      {"matchConditions", json::array({{{"name", "asks-for-nothing-itself"}, {"expression", kNotAnnotated}},
                                       {{"name", "is-no-mirror-pod"}, {"expression", kNoMirror}}})},
      // A selector of ours must never be somebody's outage; what slips past is reported.
      {"failurePolicy", "Ignore"},
      {"matchPolicy", "Equivalent"},
      {"reinvocationPolicy", "IfNeeded"},
      {"sideEffects", "None"},
      {"timeoutSeconds", webhook.timeout.count()}};
}

/// Everything in `wanted` stands in `live`, however much more does.
bool holds(const json& live, const json& wanted) {
  if (!wanted.is_object()) return live == wanted;
  if (!live.is_object()) return false;
  for (const auto& [key, value] : wanted.items()) {
    const auto found = live.find(key);
    if (found == live.end() || !holds(*found, value)) return false;
  }
  return true;
}

}  // namespace

std::set<std::string> namespaces_with_selectors(const std::vector<api::Policy>& policies,
                                                const std::vector<NamespaceFacts>& namespaces,
                                                const std::string& own) {
  std::set<std::string> out;
  for (const auto& policy : policies) {
    if (!policy.pod_selector) continue;
    for (const auto& one : namespaces) {
      const bool concerned =
          policy.key.cluster() ? !policy.namespace_selector || policy.namespace_selector->matches(one.labels)
                               : policy.key.ns == one.name;
      if (concerned) out.insert(one.name);
    }
  }
  out.erase("kube-system");
  out.erase(own);
  return out;
}

json selected_to_apply(const SelectedWebhook& webhook) {
  json out = {{"apiVersion", "admissionregistration.k8s.io/v1"},
              {"kind", "MutatingWebhookConfiguration"},
              {"metadata", {{"name", webhook.name}}},
              {"webhooks", json::array()}};
  if (!webhook.namespaces.empty()) out["webhooks"].push_back(entry(webhook));
  return out;
}

bool selected_is_current(const json& live, const json& wanted) {
  const json* have = kube::at(live, {"webhooks"});
  const json none = json::array();
  const json& entries = have != nullptr && have->is_array() ? *have : none;
  const auto mine = std::ranges::find_if(
      entries, [](const json& one) { return kube::string_at(one, {"name"}) == kSelectedEntry; });
  if (wanted["webhooks"].empty()) return mine == entries.end();
  return mine != entries.end() && holds(*mine, wanted["webhooks"].front());
}

}  // namespace ambassador::controller
