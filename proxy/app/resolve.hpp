// common/dns as the edge wants it: all addresses of a name, or an Error.
#pragma once

#include "common/dns/resolver.hpp"
#include "proxy/net/proxy.hpp"

namespace ambassador::proxy::app {

/// `resolver` outlives the function.
net::ResolveFunction resolve_with(dns::Resolver& resolver);

}  // namespace ambassador::proxy::app
