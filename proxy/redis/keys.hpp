// The keys of a request, by the key specs of its command. Used by the session for commands whose keys must
// all lie on one server. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "proxy/redis/command.hpp"
#include "proxy/redis/request_parser.hpp"

namespace ambassador::proxy::redis {

/// Appends the positions of the keys of `request`, which is complete, to `keys`. False when they cannot be
/// told because the arguments make no sense (a count that is no number, STREAMS missing): any server will
/// then refuse the command in its own words.
[[nodiscard]] bool find_keys(const Command& command, const RequestParser& request,
                             std::vector<std::uint32_t>& keys);

/// SORT's BY and GET name keys by pattern: the positions of those patterns that stand for keys ("#" and
/// patterns without "*" do not) are appended to `patterns`; STORE's key to `keys`.
void find_sort_keys(const RequestParser& request, std::vector<std::uint32_t>& keys,
                    std::vector<std::uint32_t>& patterns);

/// True when the request asks to block (XREAD ... BLOCK ms ...): only options in front of STREAMS count.
[[nodiscard]] bool asks_to_block(const RequestParser& request);

}  // namespace ambassador::proxy::redis
