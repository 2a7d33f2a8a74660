// The active health probes of a Redis server: PING, and where it matters who is the primary, INFO
// replication. Used by the core. Pure.
#pragma once

#include <string_view>

#include "proxy/session/session.hpp"
#include "proxy/session/standing.hpp"

namespace ambassador::proxy::redis {

inline constexpr std::string_view kProbeRequest = "*1\r\n$4\r\nPING\r\n";

/// Healthy: +PONG; -NOAUTH and -NOPERM too, for they are the client's business. Anything else is not:
/// -LOADING, -MASTERDOWN, -BUSY, too many clients, another protocol.
[[nodiscard]] ProtocolCore::Health judge_probe(std::string_view reply);

inline constexpr std::string_view kRoleProbeRequest = "*2\r\n$4\r\nINFO\r\n$11\r\nreplication\r\n";

/// Healthy: it tells its role. A server that loads its data does so too; what it is asked for meanwhile it
/// declines.
[[nodiscard]] ProtocolCore::Health judge_role_probe(std::string_view reply);

/// The same in a cluster: a replica that has no link to its primary is not healthy, for all it does is to
/// answer reads.
[[nodiscard]] ProtocolCore::Health judge_node_probe(std::string_view reply);

/// Of a reply that judge_role_probe found healthy. The term of a primary is where it left the history of the
/// one before it (second_repl_offset), so of two primaries with the same past the one that was promoted last
/// has the higher one. The position is in bytes of the replication stream, counted from 1; of a replica whose
/// link to its primary is down it is not known.
///
/// Source: https://redis.io/docs/latest/commands/info/ (replication); replication.c of Redis 7.0 (PSYNC2).
[[nodiscard]] Standing read_standing(std::string_view reply);

}  // namespace ambassador::proxy::redis
