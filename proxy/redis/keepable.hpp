// Which commands' replies may be kept and given again (reply_cache.hpp). Used by the session. Pure.
#pragma once

#include "proxy/redis/command.hpp"

namespace ambassador::proxy::redis {

/// The reply is a function of what the one key holds, and of the arguments, and of nothing else; so it stays
/// right until the server says that the key has changed. `command` is one of kCommands, or of kSubcommands.
[[nodiscard]] bool is_keepable(const Command& command);

}  // namespace ambassador::proxy::redis
