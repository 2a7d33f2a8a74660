// Makes one reply of the replies of several servers, as the command's response policy says. A server that did
// not answer becomes an error: for MGET at its keys' places, else of the whole reply. Used by the session.
// Pure; never trusts that a reply is of the kind it should be.
#pragma once

#include <span>
#include <string>

#include "proxy/redis/gathered.hpp"

namespace ambassador::proxy::redis {

/// Appends exactly one reply to `out` (several where Merge::confirmed has several), in the version of RESP
/// that the parts are in. `parts` are the replies to the asks, in their order; at least one, but for
/// Merge::selected and Merge::confirmed.
void merge_replies(const Gathered& gathered, std::span<const Part> parts, std::string& out);

}  // namespace ambassador::proxy::redis
