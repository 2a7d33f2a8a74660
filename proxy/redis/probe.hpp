// The active health probe of a Redis server: PING. Used by the core. Pure.
#pragma once

#include <string_view>

#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

inline constexpr std::string_view kProbeRequest = "*1\r\n$4\r\nPING\r\n";

/// Healthy: +PONG; -NOAUTH and -NOPERM too, for they are the client's business. Anything else is not:
/// -LOADING, -MASTERDOWN, -BUSY, too many clients, another protocol.
[[nodiscard]] ProtocolCore::Health judge_probe(std::string_view reply);

}  // namespace ambassador::proxy::redis
