// The Transport on cpprestsdk. All knowledge of cpprestsdk is in cpprest_transport.cpp (its traps: that
// file's head).
#pragma once

#include "operator/kube/config.hpp"
#include "operator/kube/transport.hpp"

namespace ambassador::kube {

/// Each call of the factory opens a pool of its own. Files named in `config` (token, CA, client certificate)
/// are read again when they change; a new CA or client certificate means a new pool for the calls after it.
/// Starts cpprestsdk's threads once per process.
TransportFactory cpprest_transport(Config config);

}  // namespace ambassador::kube
