// TCP as configured for one listener: bytes go to the backend and back as they come, each client on a
// connection of its own to the usable backend with the fewest. Made by proxy/app for each worker and
// configuration, used by the relay (proxy/net).
#pragma once

#include <memory>

#include "common/config/document.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::tcp {

/// `availability` counts backends as `listener` does and outlives the core. One thread.
[[nodiscard]] std::shared_ptr<const ProtocolCore> make_core(const config::Listener& listener,
                                                            const Availability& availability);

}  // namespace ambassador::proxy::tcp
