// What a request is about, for people who look for slow ones, or for what is asked for much: its command and
// its keys. Nothing else of it is told: it may be secret. Pure; any thread.
#pragma once

#include <string_view>

#include "proxy/redis/request_parser.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// `request`: what was sent to a server, or its first bytes; a transaction is EXEC, with the key of its first
/// command. Of a key that is not wholly there what is there is given. The command is empty where none can be
/// told, the key where the command names none, or too far behind.
[[nodiscard]] RequestName name_request(std::string_view request);

/// Of a command that has more keys than this, the first ones are told.
inline constexpr std::size_t kNamedMost = 32;
/// Tells `watch` the keys of the request that `request` has parsed; a channel that is published to is one, as
/// it lies where such a key would. `whole`: all of it is there; else those keys are told that are, of
/// commands whose keys are known by their place.
void tell_keys(const RequestParser& request, bool whole, KeyWatch& watch);

}  // namespace ambassador::proxy::redis
