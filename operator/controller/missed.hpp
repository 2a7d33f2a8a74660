// Which policies should be on a Pod that carries no ambassador? Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/kube/object.hpp"
#include "operator/kube/timestamp.hpp"

namespace ambassador::controller {

/// Since when the condition Accepted of a policy document has been True; nullopt: it is not.
std::optional<kube::SystemTime> accepted_since(const kube::Json& policy_document);

/// The policies that select the Pod by their podSelector, with repair not Disabled, and were accepted before
/// it was created: it slipped past the webhook. Older Pods were never meant to have them. Empty for a Pod
/// that opted out or is about to go.
/// @param pod its metadata is enough
/// @param policy_documents of its namespace, and the cluster's
std::set<api::PolicyKey> missed_policies(const kube::Json& pod, const api::Labels& namespace_labels,
                                         const std::vector<kube::Object>& policy_documents);

}  // namespace ambassador::controller
