#include "proxy/net/listen_addresses.hpp"

#include <sys/socket.h>

#include <string>

#include "proxy/net/socket.hpp"

namespace ambassador::proxy::net {

Result<std::vector<Wanted>> wanted(const config::Listener& listener) {
  std::vector<Wanted> result;
  if (listener.port != 0) {
    auto literals = listener.addresses;
    if (literals.empty()) literals = {"127.0.0.1", "::1"};
    for (const std::string& literal : literals) {
      const auto address = Address::ip(literal, listener.port);
      if (!address) return Error{"addresses", "\"" + literal + "\" is not an IP address"};
      result.push_back({*address, literal == "::1" && literals.size() > 1});
    }
  }
  if (!listener.unix_socket.empty()) {
    const auto address = Address::unix_path(listener.unix_socket);
    if (!address) {
      return Error{"unixSocket",
                   "\"" + listener.unix_socket + "\" is not an absolute path of at most 107 bytes"};
    }
    result.push_back({*address});
  }
  return result;
}

bool host_has(const Address& address) {
  const Socket probe = Socket::stream(address.family());
  const Address any_port = address.with_port(0);
  return probe && ::bind(probe.fd(), any_port.data(), any_port.size()) == 0;
}

}  // namespace ambassador::proxy::net
