// The error replies for requests that no backend answered. They name the backend and say whether the command
// may have been carried out: that is what decides about trying again. Used by session and merge. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// "ERR backend redis-0:6379 unreachable ...", without line end; long names are cut, odd bytes become '?'.
/// `reason`: Greeted::why of Failure::refused.
[[nodiscard]] std::string failure_text(Failure failure, std::string_view backend_name,
                                       std::string_view reason = {});

}  // namespace ambassador::proxy::redis
