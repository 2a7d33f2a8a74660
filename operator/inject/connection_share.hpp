// spec.connectionBudget: server connections of all Pods of a policy together, per SQL listener. Every Pod
// gets the same share, which status.connectionsPerPod says; admission, live configuration and the next leader
// read it there. Pure.
#pragma once

#include <cstddef>

#include "operator/inject/known_policy.hpp"

namespace ambassador::inject {

/// Of `budget` connections what each of `pods` Pods may open: as if there were the next power of two of them,
/// so that the share of all changes seldom. At least 1: with more Pods than connections the server's own
/// limit counts.
unsigned connection_share(unsigned budget, std::size_t pods);

/// The most server connections that a Pod's ambassador may open for this listener of the policy.
/// @param listener  of the policy `known`, which parsed
unsigned allowed_connections(const KnownPolicy& known, const api::Listener& listener);

}  // namespace ambassador::inject
