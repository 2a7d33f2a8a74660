// The error replies for requests that no one backend can carry out, and for those that none answered. The
// latter name the backend and say whether the command may have been carried out: that is what decides about
// trying again. Used by session and merge. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// A command, or a transaction, that no one server can carry out.
inline constexpr std::string_view kCrossShard =
    "CROSSSLOT Keys in request don't hash to the same shard (a hash tag keeps keys together)";

/// Redis' own, where its keys have several slots.
inline constexpr std::string_view kCrossSlot = "CROSSSLOT Keys in request don't hash to the same slot";

/// "ERR backend redis-0:6379 unreachable ...", without line end; long names are cut, odd bytes become '?'.
/// `reason`: Greeted::why of Failure::refused.
[[nodiscard]] std::string failure_text(Failure failure, std::string_view backend_name,
                                       std::string_view reason = {});

}  // namespace ambassador::proxy::redis
