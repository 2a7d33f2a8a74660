// The one place that knows all protocols: which core serves a listener.
#pragma once

#include "proxy/net/proxy.hpp"

namespace ambassador::proxy::app {

/// For net::Proxy.
net::CoreFactory core_factory();

}  // namespace ambassador::proxy::app
