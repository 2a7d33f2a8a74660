#include "operator/inject/known_policy.hpp"

#include <cassert>
#include <nlohmann/json.hpp>

#include "operator/api/document.hpp"

namespace ambassador::inject {
namespace {

std::optional<unsigned> read_connections_per_pod(const nlohmann::json& document) {
  const auto number = api::integer_at(api::member(document, "status"), "connectionsPerPod");
  if (!number || *number < 1 || *number > api::kMostConnectionBudget) return std::nullopt;
  return static_cast<unsigned>(*number);
}

}  // namespace

const api::Policy& KnownPolicy::spec() const {
  assert(parsed.policy);
  return *parsed.policy;
}

KnownPolicyPtr know_policy(const nlohmann::json& document) {
  return std::make_shared<const KnownPolicy>(KnownPolicy{
      api::parse_policy(document), discovery::read_resolved(document), read_connections_per_pod(document)});
}

}  // namespace ambassador::inject
