// A listener of the toy protocol before toy servers, and its clients.
#pragma once

#include <string>
#include <vector>

#include "cores.hpp"
#include "running.hpp"
#include "toy_core.hpp"
#include "toy_server.hpp"

namespace toy {

using namespace running;

/// Says "hello" to who logs in; "again" where the listener has other than the usual most clients.
inline net::CoreFactory core() {
  return [](const config::Listener& listener, const Availability& /*all*/) -> Result<net::Core> {
    const bool tls = listener.server_tls.mode != config::TlsMode::disabled;
    const char* const greeting = listener.max_clients == config::Listener().max_clients ? "hello" : "again";
    return net::Core(std::shared_ptr<const PooledCore>(std::make_shared<Core>(greeting, tls)));
  };
}

inline config::Listener listener_for(const std::vector<RealServer*>& servers, unsigned connections) {
  std::vector<config::Backend> backends;
  for (std::size_t i = 0; i < servers.size(); ++i)
    backends.push_back(backend("s" + std::to_string(i), servers[i]->port()));
  auto listener = listener_named("toy", config::Protocol::tcp, std::move(backends));
  listener.sql.max_server_connections = connections;
  return listener;
}

/// Logged in; keeps the name that it was given.
class Guest : public Client {
 public:
  explicit Guest(std::uint16_t port, const std::string& login = "k") : Client(port) {
    name = ask("LOGIN " + login);
  }
  /// The answer's lines but the last, which must be the end of a unit of work, or `end`.
  std::string query(const std::string& words, const std::string& end = "Z I") {
    send("Q " + words + "\n");
    const std::string reply = line();
    if (reply.starts_with("! ") || reply == "EOF" || reply == "TIMEOUT") return reply;
    const std::string last = line();
    return last == end ? reply : reply + " and then " + last;
  }
  std::string name;
};

struct OneServer {
  RealServer server{"s"};
  config::Listener listener;
  running::Proxy proxy;
  explicit OneServer(unsigned connections, net::Options options = {})
      : listener(listener_for({&server}, connections)), proxy(core(), std::move(options)) {
    const auto applied = proxy.apply(listener);
    if (!applied) throw std::runtime_error(applied.error().text());
  }
  net::PoolSnapshot pool() { return proxy.listener().pool; }
};

}  // namespace toy
