// PostgreSQL as configured for one listener: the PooledCore that the relay (proxy/net) works with. Made by
// proxy/app for each worker and configuration.
#pragma once

#include <memory>

#include "proxy/postgresql/settings.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::postgresql {

/// The core is used by one thread.
[[nodiscard]] std::shared_ptr<const PooledCore> make_core(Settings settings);

}  // namespace ambassador::proxy::postgresql
