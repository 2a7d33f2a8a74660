// What a Redis Sentinel is asked (mode Sentinel): where is the master of that name, and where are its
// replicas. Used by proxy/discovery, by way of the SeedQuestion. Pure.
//
// Source: https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/ (Sentinel API);
// sentinel.c of Redis 7.0 (addReplySentinelRedisInstance).
#pragma once

#include <memory>

#include "common/config/document.hpp"
#include "proxy/session/account.hpp"
#include "proxy/session/seed.hpp"

namespace ambassador::proxy::redis {

/// An answer may have this size: a server takes about 900 bytes, and a listener has at most 1,024.
inline constexpr std::size_t kMaxSentinelAnswer = std::size_t{1} << 20;

/// `listener` is of mode Sentinel. `account`: who logs in at the Sentinels, as at the servers; empty: nobody
/// does.
///
/// The servers are the master and the replicas that the Sentinel reaches; its epoch is the master's
/// config-epoch, by which Sentinels themselves know the newest of several. A Sentinel that knows no such
/// master answers, without servers. Places that are none (a path, a port 0) are left out; an answer without a
/// master that could be connected to is not healthy.
[[nodiscard]] std::shared_ptr<const SeedQuestion> make_sentinel_question(const config::Listener& listener,
                                                                         AccountFunction account);

}  // namespace ambassador::proxy::redis
