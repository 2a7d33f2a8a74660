// The two HTTP surfaces of the proxy as handlers for common/http: what each path answers. The health port is
// the only one on the Pod's address and knows four paths; the admin port is on loopback. Nothing here changes
// state but /pause and /resume.
//
// Threads: the handlers run on the control thread (the server's io_context is the control thread's).
#pragma once

#include <chrono>
#include <memory>

#include "common/http/message.hpp"
#include "common/metrics/metrics.hpp"
#include "proxy/admin/view.hpp"

namespace ambassador::proxy::admin {

/// At most so many clients are listed by /clients and /top.
inline constexpr std::size_t kMaxListedClients = 1000;
inline constexpr std::size_t kMaxListedRequests = 1000;  // by /slowlog and /bigkeys

/// Without this header, which no page in a browser sends to another site unasked, nothing is changed.
inline constexpr const char* kChangeHeader = "Ambassador-Change";
/// A pause that was forgotten ends.
inline constexpr std::chrono::hours kMaxPause{1};

/// GET /livez, /readyz, /startupz (200 or 503 with a line that says why) and /metrics; anything else is 404.
/// livez: the control thread answers. startupz: every listener accepts. readyz: configured and accepting, and
/// with readiness Backends at least one usable backend per listener; 503 while draining.
http::Handler health_routes(std::shared_ptr<const View> view,
                            std::shared_ptr<const metrics::Metrics> metrics);

/// The same four and, as JSON, /status /config /backends /clients /top /slowlog /hotkeys /bigkeys, and the
/// status page at /.
/// POST /pause?listener=NAME&for=DURATION and POST /resume?listener=NAME (net::Proxy::pause); without a name,
/// all listeners that lend servers; without a duration, 5m; with kChangeHeader.
http::Handler admin_routes(std::shared_ptr<const View> view, std::shared_ptr<const metrics::Metrics> metrics);

}  // namespace ambassador::proxy::admin
