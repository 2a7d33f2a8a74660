#include "operator/discovery/hosts.hpp"

#include "common/config/ip_literal.hpp"

namespace ambassador::discovery {

std::string address_text(const std::string& literal, std::uint16_t port) {
  const bool v6 = literal.find(':') != std::string::npos;
  return (v6 ? "[" + literal + "]" : literal) + ":" + std::to_string(port);
}

std::vector<ResolvedBackend> backends_of(const std::vector<api::Host>& hosts,
                                         const std::map<std::string, unsigned>& weights) {
  std::vector<ResolvedBackend> all;
  for (const auto& host : hosts) {
    ResolvedBackend backend;
    backend.host = host.host;
    backend.port = host.port;
    backend.ring_name = host.name.empty() ? host.host + ":" + std::to_string(host.port) : host.name;
    backend.name = backend.ring_name;
    const auto weight = weights.find(backend.name);
    backend.weight = weight == weights.end() ? host.weight : weight->second;
    if (config::is_ip_literal(host.host)) backend.address = address_text(host.host, host.port);
    backend.ready = true;
    backend.source = "hosts";
    all.push_back(std::move(backend));
  }
  return all;
}

}  // namespace ambassador::discovery
