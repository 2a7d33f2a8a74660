// The one place that knows all protocols: which core serves a listener.
#pragma once

#include "proxy/app/secrets.hpp"
#include "proxy/net/proxy.hpp"

namespace ambassador::proxy::app {

/// For net::Proxy. `secrets` says who logs in at servers; it outlives the function.
net::CoreFactory core_factory(Secrets& secrets);

}  // namespace ambassador::proxy::app
