// What a request to a server is about, for people who look for slow ones: its command and one key. Nothing
// else of it is told: it may be secret. Pure; any thread.
#pragma once

#include <string_view>

#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// `request`: what was sent to a server, or its first bytes; a transaction is EXEC, with the key of its first
/// command. Of a key that is not wholly there what is there is given. The command is empty where none can be
/// told, the key where the command names none, or too far behind.
[[nodiscard]] RequestName name_request(std::string_view request);

}  // namespace ambassador::proxy::redis
