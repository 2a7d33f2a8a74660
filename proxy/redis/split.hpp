// Splits a command of many keys (MGET, MSET, DEL, ...) into one request per server. Used by the session.
// Pure.
#pragma once

#include <span>
#include <vector>

#include "proxy/redis/gathered.hpp"
#include "proxy/redis/request_parser.hpp"

namespace ambassador::proxy::redis {

/// One ask per server that holds a key of `request`, in the order of their first keys. `server_of_key` has an
/// entry per key of the request, in its order, and each is a backend below `backends`. Fills in `asks` and,
/// for Merge::in_key_order, gathered.part_of_key.
void split_request(const Command& command, const RequestParser& request,
                   std::span<const BackendIndex> server_of_key, std::uint32_t backends,
                   std::vector<Ask>& asks, Gathered& gathered);

}  // namespace ambassador::proxy::redis
