#include "proxy/net/service.hpp"

namespace ambassador::proxy::net {

void Service::say(config::LogLevel level, std::string what, const Upstream* upstream, std::string_view error,
                  std::string client) const {
  Event event{level, std::move(what), {{"listener", name()}}};
  if (upstream != nullptr) event.fields.emplace_back("backend", upstream->backend().name);
  if (!client.empty()) event.fields.emplace_back("client", std::move(client));
  if (!error.empty()) event.fields.emplace_back("error", error);
  outside_.events(event);
}

}  // namespace ambassador::proxy::net
