// The two HTTP surfaces of the proxy as handlers for common/http: what each path answers. The health port is
// the only one on the Pod's address and knows four paths; the admin port is on loopback. Nothing here changes
// state.
//
// Threads: the handlers run on the control thread (the server's io_context is the control thread's).
#pragma once

#include <memory>

#include "common/http/message.hpp"
#include "common/metrics/metrics.hpp"
#include "proxy/admin/view.hpp"

namespace ambassador::proxy::admin {

/// At most so many clients are listed by /clients and /top.
inline constexpr std::size_t kMaxListedClients = 1000;

/// GET /livez, /readyz, /startupz (200 or 503 with a line that says why) and /metrics; anything else is 404.
/// livez: the control thread answers. startupz: every listener accepts. readyz: configured and accepting, and
/// with readiness Backends at least one usable backend per listener; 503 while draining.
http::Handler health_routes(std::shared_ptr<const View> view,
                            std::shared_ptr<const metrics::Metrics> metrics);

/// The same four and, as JSON, /status /config /backends /clients /top, and the status page at /.
http::Handler admin_routes(std::shared_ptr<const View> view, std::shared_ptr<const metrics::Metrics> metrics);

}  // namespace ambassador::proxy::admin
