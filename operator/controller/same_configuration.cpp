#include "operator/controller/same_configuration.hpp"

#include <algorithm>

namespace ambassador::controller {
namespace {

bool same_backends(const discovery::ResolvedListener& a, const discovery::ResolvedListener& b) {
  if (a.name != b.name || a.environment != b.environment) return false;
  // Addresses and readiness are for people: the proxy resolves names and looks at health itself.
  return std::ranges::equal(a.backends, b.backends, [](const auto& x, const auto& y) {
    return x.name == y.name && x.host == y.host && x.port == y.port && x.ring_name == y.ring_name &&
           x.weight == y.weight;
  });
}

std::string spec_hash(const inject::KnownPolicy& policy) {
  return policy.parsed.policy ? policy.parsed.policy->hash : std::string("not accepted");
}

}  // namespace

bool same_configuration(const inject::KnownPolicy& before, const inject::KnownPolicy& after) {
  return spec_hash(before) == spec_hash(after) && before.connections_per_pod == after.connections_per_pod &&
         std::ranges::equal(before.listeners, after.listeners, same_backends);
}

}  // namespace ambassador::controller
