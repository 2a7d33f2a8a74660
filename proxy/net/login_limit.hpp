// How long clients of either relay have to say who they are, where they have to.
#pragma once

#include <chrono>

namespace ambassador::proxy::net {

/// From the beginning of the connection, its TLS handshake included, to when it has proved who it is; without
/// the time in which it waits for a server.
inline constexpr std::chrono::seconds kLoginMost{8};
/// Why a client that needs more is closed.
inline constexpr const char* kLoginTooSlow = "it did not log in in time";

}  // namespace ambassador::proxy::net
