// Which nodes a Redis Cluster has and which slots lie with them, by what all nodes that were asked say. Nodes
// hear of a change one after the other; who is cut off from the others does not hear of it, and may go on
// saying what was, or claim slots that it lost. Pure; one per listener.
#pragma once

#include <optional>
#include <span>

#include "proxy/redis/cluster_view.hpp"

namespace ambassador::proxy::redis {

class ClusterAgreement {
 public:
  /// Weighs what all nodes say now, each of which was asked; nothing: that one does not answer. True: what
  /// view() says is something else than before.
  ///
  /// What more than half of them say counts. While no such number agrees (some are away, or a change is on
  /// its way to them), what was agreed on before stays, unless somebody says something of a later epoch and
  /// reaches most of the cluster. At the beginning what most say counts, and of as many the higher epoch.
  bool weigh(std::span<const std::optional<ClusterView>> said);

  /// Nothing: nobody has said anything of use yet.
  [[nodiscard]] const std::optional<ClusterView>& view() const { return view_; }

 private:
  std::optional<ClusterView> view_;
};

}  // namespace ambassador::proxy::redis
