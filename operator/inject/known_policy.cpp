#include "operator/inject/known_policy.hpp"

#include <cassert>
#include <nlohmann/json.hpp>

namespace ambassador::inject {

const api::Policy& KnownPolicy::spec() const {
  assert(parsed.policy);
  return *parsed.policy;
}

KnownPolicyPtr know_policy(const nlohmann::json& document) {
  return std::make_shared<const KnownPolicy>(
      KnownPolicy{api::parse_policy(document), discovery::read_resolved(document)});
}

}  // namespace ambassador::inject
