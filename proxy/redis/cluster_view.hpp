// What one node of a Redis Cluster says of the cluster: which slots lie with which nodes, and how new that
// is. Nodes hear of changes one after the other, and who is cut off from the others does not hear of them;
// whose word counts, cluster_agreement.hpp says. Pure.
//
// Source: https://redis.io/docs/latest/commands/cluster-slots/, .../cluster-info/; cluster.c of Redis 7.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
#include "common/result/result.hpp"

namespace ambassador::proxy::redis {

/// What a node is asked; it answers with two replies.
inline constexpr std::string_view kClusterQuestion =
    "*2\r\n$7\r\nCLUSTER\r\n$4\r\nINFO\r\n*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
/// Nodes that a cluster may have (the specification's own limit).
inline constexpr std::size_t kMaxClusterNodes = 1000;
/// Of both replies: a range of slots takes about 100 bytes and as many for each replica, and a cluster whose
/// slots were moved about one by one has thousands of ranges.
inline constexpr std::size_t kMaxClusterAnswer = std::size_t{8} << 20;

struct ClusterNode {
  std::string id;  // its own for all its life; "host:port" of nodes that tell none (before Redis 4)
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const ClusterNode&, const ClusterNode&) = default;
};

struct ClusterView {
  std::uint64_t epoch = 0;         // the highest that the node has heard of (cluster_current_epoch)
  bool ok = false;                 // it reaches most of those who have slots (cluster_state)
  std::vector<ClusterNode> nodes;  // sorted by place
  /// Sorted; they do not overlap, and may leave slots out. Servers are positions in `nodes`.
  std::vector<config::SlotRange> ranges;
  friend bool operator==(const ClusterView&, const ClusterView&) = default;
};

/// True when both replies to kClusterQuestion are there.
[[nodiscard]] bool cluster_view_is_whole(std::string_view replies);

/// Reads them. `asked` is the host by which the node was reached: one that does not know its own address, or
/// is told to keep it to itself, leaves it out. Nodes whose place is not known are left out, and with them
/// the slots of which they are the primary. An Error has the node's own words (it is no node of a cluster),
/// or says what makes no sense; then nothing of it is used.
[[nodiscard]] Result<ClusterView> read_cluster_view(std::string_view replies, std::string_view asked);

/// Both say the same of every slot's primary, whatever they say of replicas.
[[nodiscard]] bool same_owners(const ClusterView& one, const ClusterView& other);

}  // namespace ambassador::proxy::redis
