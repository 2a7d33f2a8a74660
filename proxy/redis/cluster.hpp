// What a node of a Redis Cluster is asked (mode Cluster): which nodes there are, and which slots lie with
// which of them. Used by proxy/discovery, by way of the SeedQuestion. Pure.
#pragma once

#include <memory>

#include "proxy/session/account.hpp"
#include "proxy/session/seed.hpp"

namespace ambassador::proxy::redis {

/// `account`: who logs in at the nodes; empty: nobody does. A node that has no slots yet, and knows of none,
/// is one that answers, without servers.
[[nodiscard]] std::shared_ptr<const SeedQuestion> make_cluster_question(AccountFunction account);

}  // namespace ambassador::proxy::redis
