// Which nodes a Redis Cluster has and which slots lie with them, by what all nodes that were asked say. Nodes
// hear of a change one after the other; who is cut off from the others does not hear of it, and may go on
// saying what was, or claim slots that it lost. Used by the cluster's SeedQuestion. Pure; one per listener.
#pragma once

#include <span>

#include "proxy/session/seed.hpp"

namespace ambassador::proxy::redis {

class ClusterAgreement final : public Consensus {
 public:
  /// What more than half of all nodes say counts, those included that do not answer. While no such number
  /// agrees (some are away, or a change is on its way to them), what was agreed on before stays, unless
  /// somebody says something of a later epoch and reaches most of the cluster. At the beginning what most say
  /// is taken for that, and of as many the higher epoch.
  bool weigh(std::span<const SeedAnswer> nodes) override;
};

}  // namespace ambassador::proxy::redis
