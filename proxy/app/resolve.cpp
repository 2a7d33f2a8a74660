#include "proxy/app/resolve.hpp"

#include <utility>

namespace ambassador::proxy::app {

net::ResolveFunction resolve_with(dns::Resolver& resolver) {
  return [&resolver](const std::string& name, std::function<void(Result<net::Resolved>)> done) {
    resolver.resolve_addresses(name, [done = std::move(done)](const dns::AddressAnswer& answer) {
      if (answer.outcome != dns::Outcome::found) {
        done(answer.error);
        return;
      }
      net::Resolved resolved;
      resolved.ttl = answer.ttl;
      for (const auto& address : answer.addresses) {
        if (const auto made = net::Address::ip(address.to_string(), 0)) {
          resolved.addresses.push_back(*made);
        }
      }
      done(std::move(resolved));
    });
  };
}

}  // namespace ambassador::proxy::app
