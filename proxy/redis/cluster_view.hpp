// What one node of a Redis Cluster says of the cluster: which slots lie with which nodes, and how new that
// is. Nodes hear of changes one after the other, and who is cut off from the others does not hear of them;
// whose word counts, cluster_agreement.hpp says. Used by the cluster's SeedQuestion. Pure.
//
// Source: https://redis.io/docs/latest/commands/cluster-slots/, .../cluster-info/; cluster.c of Redis 7.0.
#pragma once

#include <cstddef>
#include <string_view>

#include "common/result/result.hpp"
#include "proxy/session/seed.hpp"

namespace ambassador::proxy::redis {

/// What a node is asked; it answers with two replies.
inline constexpr std::string_view kClusterQuestion =
    "*2\r\n$7\r\nCLUSTER\r\n$4\r\nINFO\r\n*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
/// Nodes that a cluster may have (the specification's own limit).
inline constexpr std::size_t kMaxClusterNodes = 1000;
/// Of both replies: a range of slots takes about 100 bytes and as many for each replica, and a cluster whose
/// slots were moved about one by one has thousands of ranges.
inline constexpr std::size_t kMaxClusterAnswer = std::size_t{8} << 20;

/// True when both replies to kClusterQuestion are there.
[[nodiscard]] bool cluster_view_is_whole(std::string_view replies);

/// Reads them: the nodes, sorted, and their slots; the epoch is the highest that the node has heard of.
/// `asked` is the host by which the node was reached: one that does not know its own address, or is told to
/// keep it to itself, leaves it out. Nodes whose place is not known are left out, and with them the slots of
/// which they are the primary. An Error has the node's own words (it is no node of a cluster), or says what
/// makes no sense; then nothing of it is used.
[[nodiscard]] Result<Members> read_cluster_view(std::string_view replies, std::string_view asked);

/// Both say the same of every slot's primary, whatever they say of replicas.
[[nodiscard]] bool same_owners(const Members& one, const Members& other);

}  // namespace ambassador::proxy::redis
