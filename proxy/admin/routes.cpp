#include "proxy/admin/routes.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/config/duration.hpp"
#include "common/config/print.hpp"
#include "proxy/admin/documents.hpp"
#include "proxy/admin/page.hpp"

namespace ambassador::proxy::admin {
namespace {

using http::Response;

Response verdict(const std::string& why_not) {
  return why_not.empty() ? Response::text(200, "ok\n") : Response::text(503, why_not + "\n");
}

std::string why_not_started(const View& view) {
  return view.listening() ? "" : "not every listener accepts yet";
}

std::string why_not_ready(const View& view) {
  if (std::string why = why_not_started(view); !why.empty()) {
    return why;
  }
  const net::Snapshot snapshot = view.snapshot();
  if (snapshot.draining) {
    return "draining: waiting for the clients to leave";
  }
  if (view.document().readiness == config::Readiness::backends) {
    for (const net::ListenerSnapshot& listener : snapshot.listeners) {
      const bool usable = std::any_of(listener.backends.begin(), listener.backends.end(),
                                      [](const net::BackendSnapshot& backend) { return backend.usable; });
      if (!usable) {
        return "listener " + listener.name + " has no usable backend";
      }
    }
  }
  return "";
}

std::optional<Response> health_answer(const View& view, const metrics::Metrics& metrics,
                                      std::string_view path) {
  if (path == "/livez") return Response::text(200, "ok\n");
  if (path == "/startupz") return verdict(why_not_started(view));
  if (path == "/readyz") return verdict(why_not_ready(view));
  if (path == "/metrics") return Response{200, metrics::kContentType, metrics.text(), {}};
  return std::nullopt;
}

Response pretty(const nlohmann::ordered_json& json) {
  return Response::json(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

bool reads(const http::Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

const Response kReadOnly{405, "text/plain; charset=utf-8", "only GET and HEAD\n", {{"Allow", "GET, HEAD"}}};

// A page in a browser must not be able to reach this port through a name that it makes point at loopback.
bool names_loopback(const http::Request& request) {
  std::string_view host = request.header("host");
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.rfind(':'));
  return host.empty() || host == "localhost" || host == "127.0.0.1";
}

// POST /pause?listener=NAME&for=DURATION and POST /resume?listener=NAME; without a name, all that lend
// servers. The header is one that a page in a browser can't send to another site without being allowed to.
Response pause_or_resume(const View& view, const http::Request& request) {
  if (request.method != "POST") return {405, "text/plain; charset=utf-8", "only POST\n", {{"Allow", "POST"}}};
  if (request.header(kChangeHeader).empty())
    return Response::text(403, "give the header " + std::string(kChangeHeader) + "\n");
  const bool pause = request.path() == "/pause";
  const auto duration = config::parse_duration(request.parameter("for", "5m"));
  if (!duration || *duration > kMaxPause)
    return Response::text(
        400, "for: give a duration of at most " + config::print_duration(kMaxPause) + ", as 5m\n");
  const std::string name = request.parameter("listener");
  nlohmann::ordered_json done = nlohmann::ordered_json::array();
  for (const net::ListenerSnapshot& listener : view.snapshot().listeners) {
    if (!name.empty() && listener.name != name) continue;
    if (pause ? view.pause(listener.name, *duration) : view.resume(listener.name))
      done.push_back(listener.name);
  }
  if (!name.empty() && done.empty())
    return Response::text(404, "listener: '" + name + "' is none that lends servers; see /status\n");
  return pretty({{"listeners", std::move(done)}});
}

}  // namespace

http::Handler health_routes(std::shared_ptr<const View> view,
                            std::shared_ptr<const metrics::Metrics> metrics) {
  return [view = std::move(view), metrics = std::move(metrics)](const http::Request& request,
                                                                const http::Reply& reply) {
    if (!reads(request)) {
      reply(kReadOnly);
      return;
    }
    std::optional<Response> answer = health_answer(*view, *metrics, request.path());
    reply(answer ? std::move(*answer) : Response::text(404, "paths: /livez /readyz /startupz /metrics\n"));
  };
}

http::Handler admin_routes(std::shared_ptr<const View> view,
                           std::shared_ptr<const metrics::Metrics> metrics) {
  return [view = std::move(view), metrics = std::move(metrics)](const http::Request& request,
                                                                const http::Reply& reply) {
    const std::string_view path = request.path();
    if (!names_loopback(request)) {
      reply(Response::text(403, "this port answers only to localhost, 127.0.0.1 and [::1]\n"));
    } else if (path == "/pause" || path == "/resume") {
      reply(pause_or_resume(*view, request));
    } else if (!reads(request)) {
      reply(kReadOnly);
    } else if (std::optional<Response> answer = health_answer(*view, *metrics, path)) {
      reply(std::move(*answer));
    } else if (path == "/") {
      reply(Response{200, "text/html; charset=utf-8", std::string(kPage), {{"Cache-Control", "no-store"}}});
    } else if (path == "/status") {
      reply(pretty(status_json(*view, std::chrono::system_clock::now())));
    } else if (path == "/config") {
      reply(pretty(config::to_json(view->document())));
    } else if (path == "/backends") {
      reply(pretty(backends_json(view->snapshot())));
    } else if (path == "/clients") {
      view->list_clients(kMaxListedClients,
                         [reply](const auto& clients) { reply(pretty(clients_json(clients))); });
    } else if (path == "/top") {
      view->list_clients(kMaxListedClients,
                         [reply](auto clients) { reply(pretty(top_json(std::move(clients)))); });
    } else if (path == "/slowlog") {
      view->list_slow_requests(kMaxListedRequests,
                               [reply](const auto& requests) { reply(pretty(slow_log_json(requests))); });
    } else if (path == "/hotkeys") {
      view->list_hot_keys([reply](const auto& listeners) { reply(pretty(hot_keys_json(listeners))); });
    } else if (path == "/bigkeys") {
      view->list_big_keys(kMaxListedRequests,
                          [reply](const auto& keys) { reply(pretty(big_keys_json(keys))); });
    } else {
      reply(
          Response::text(404,
                         "paths: / /status /config /backends /clients /top /slowlog /hotkeys /bigkeys /livez "
                         "/readyz /startupz /metrics; POST to /pause /resume\n"));
    }
  };
}

}  // namespace ambassador::proxy::admin
