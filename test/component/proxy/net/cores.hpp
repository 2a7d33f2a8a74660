// The cores that the edge is tried with, and listeners for them.
#pragma once

#include "line_core.hpp"
#include "proxy/redis/core.hpp"
#include "proxy/tcp/core.hpp"
#include "running.hpp"

namespace running {

/// Listeners whose name begins with "lines" speak lines, "lines.greeted" greets on all connections; others
/// what their protocol says.
inline net::CoreFactory cores() {
  return [](const config::Listener& listener, const Availability& availability) -> Result<net::Core> {
    if (listener.name.starts_with("lines")) {
      return net::Core(std::shared_ptr<const ProtocolCore>(std::make_shared<line::Core>(
          listener.backends.size(), availability, listener.name == "lines.greeted")));
    }
    if (listener.protocol == config::Protocol::tcp) return net::Core(tcp::make_core(listener, availability));
    return net::Core(redis::make_core(listener, availability));
  };
}

inline config::Listener listener_named(std::string name, config::Protocol protocol,
                                       std::vector<config::Backend> backends) {
  config::Listener listener;
  listener.name = std::move(name);
  listener.protocol = protocol;
  listener.port = free_port();
  listener.backends = std::move(backends);
  return listener;
}

}  // namespace running
