// Splits a command of many keys (MGET, MSET, DEL, ...) into one request per server, or slot of a cluster.
// Used by the session. Pure.
#pragma once

#include <span>
#include <vector>

#include "proxy/redis/gathered.hpp"
#include "proxy/redis/request_parser.hpp"

namespace ambassador::proxy::redis {

/// One ask per home of a key of `request`, in the order of their first keys. `home_of_key` has an entry per
/// key of the request, in its order, and each is below `homes`. Fills in `asks`, but for their backends, and,
/// for Merge::in_key_order, gathered.part_of_key.
void split_request(const Command& command, const RequestParser& request, std::span<const Home> home_of_key,
                   std::size_t homes, std::vector<Ask>& asks, Gathered& gathered);

}  // namespace ambassador::proxy::redis
