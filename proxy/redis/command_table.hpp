// Finding a command by its name, as it stands in a request: in any case, without copying it. Used by the
// session for every request. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "proxy/redis/command.hpp"

namespace ambassador::proxy::redis {

/// The command called `name` (ASCII case does not matter), or null. `readable_after` is how many bytes may be
/// read past the end of `name`, so that short names need no byte-wise copy; 0 is always right.
[[nodiscard]] const Command* find_command(std::string_view name, std::size_t readable_after = 0);

/// The subcommand `name` of `container`, or null.
[[nodiscard]] const Command* find_subcommand(const Command& container, std::string_view name);

/// True when `a` and `b` differ at most in ASCII case.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b);

/// A command's name as people type it: "CONFIG SET" for "config|set".
[[nodiscard]] std::string typed(const Command& command);

}  // namespace ambassador::proxy::redis
