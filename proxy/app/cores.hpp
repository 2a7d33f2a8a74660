// The one place that knows all protocols: which core serves a listener.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/app/secrets.hpp"
#include "proxy/net/proxy.hpp"
#include "proxy/session/seed.hpp"

namespace ambassador::proxy::app {

/// For net::Proxy, which has so many `workers`. `secrets` says who logs in at servers; `nobody` what clients
/// of a listener whose servers are found are told as long as there are none. Both outlive the function.
net::CoreFactory core_factory(Secrets& secrets,
                              std::function<NobodyFunction(const std::string& listener)> nobody,
                              unsigned workers);

/// For a listener whose servers are found: what its seeds are asked. `secrets` outlives what is returned.
std::shared_ptr<const SeedQuestion> seed_question(const config::Listener& listener, Secrets& secrets);

}  // namespace ambassador::proxy::app
