// Redis as configured for one listener: the ProtocolCore that the relay (proxy/net) works with. Made by
// proxy/app for each worker and configuration. Knows the modes Sharded, Failover, Spread, Replicated,
// Sentinel, which is Replicated with servers that were found (sentinel.hpp), and Cluster (cluster.hpp);
// speaks RESP2 and RESP3.
#pragma once

#include <memory>

#include "common/config/document.hpp"
#include "proxy/redis/kept_counters.hpp"
#include "proxy/session/account.hpp"
#include "proxy/session/seed.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// Of the replies that a listener's cores keep (redis.clientCache).
struct CacheShare {
  unsigned workers = 1;                      // have one core each, and divide clientCache.maxMemory
  std::shared_ptr<KeptCounters> counters{};  // of all of them; null: of this core alone
};

/// `listener` must come from the strict parser (weights 1 to 1000, a hash tag of no or two characters); it is
/// copied. `availability` counts backends as `listener` does and outlives the core. `account`: who logs in at
/// servers, asked for each connection; empty: nobody does. `client_account`: as whom clients have to log in,
/// asked at each of their logins; empty: they are trusted. `nobody`: what clients are told as long as there
/// are no backends; empty: what they are told when none is usable. `share`: meaningless without clientCache.
/// One thread.
[[nodiscard]] std::shared_ptr<const ProtocolCore> make_core(
    const config::Listener& listener, const Availability& availability, AccountFunction account = {},
    AccountFunction client_account = {}, NobodyFunction nobody = {}, CacheShare share = {});

}  // namespace ambassador::proxy::redis
