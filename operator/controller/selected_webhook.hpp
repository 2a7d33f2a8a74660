// The entry of the `selected` MutatingWebhookConfiguration: which namespaces the API server asks about, for
// policies with a podSelector. Pure.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/api/selector.hpp"

namespace ambassador::controller {

/// The name of the one entry.
inline constexpr const char* kSelectedEntry = "selected.ambassador.dev";
/// Owns the entry and nothing else.
inline constexpr const char* kSelectedFieldManager = "ambassador-operator-selected";

struct NamespaceFacts {
  std::string name;
  api::Labels labels;
};

/// The namespaces in which some accepted policy selects Pods by their labels. `kube-system` and `own` never.
std::set<std::string> namespaces_with_selectors(const std::vector<api::Policy>& policies,
                                                const std::vector<NamespaceFacts>& namespaces,
                                                const std::string& own);

struct SelectedWebhook {
  std::string name;  // of the configuration
  std::string service;
  std::string service_namespace;
  std::string ca_bundle;  // PEM; "" = left out
  std::chrono::seconds timeout{5};
  std::set<std::string> namespaces;
  /// The admin's exclusions: the namespaceSelector of the first entry of `annotated` (null: none).
  const nlohmann::json& exclusions;
};

/// What to apply: one entry, or none where there are no namespaces.
nlohmann::json selected_to_apply(const SelectedWebhook& webhook);

/// Does the live configuration hold exactly that (defaults of the API server aside)?
bool selected_is_current(const nlohmann::json& live, const nlohmann::json& wanted);

}  // namespace ambassador::controller
