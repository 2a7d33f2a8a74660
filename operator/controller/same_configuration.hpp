// Would two versions of a policy give Pods the same configuration? Pure. Keeps status writes about addresses
// and counts from making every Pod of the policy be looked at.
#pragma once

#include "operator/inject/known_policy.hpp"

namespace ambassador::controller {

bool same_configuration(const inject::KnownPolicy& before, const inject::KnownPolicy& after);

}  // namespace ambassador::controller
