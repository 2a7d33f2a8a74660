// Where a listener should be bound. Used by the proxy when it applies a configuration.
#pragma once

#include <vector>

#include "common/config/document.hpp"
#include "common/result/result.hpp"
#include "proxy/net/address.hpp"

namespace ambassador::proxy::net {

struct Wanted {
  Address address;
  bool optional = false;  // an address that this host may lack
};

/// The addresses of `listener`, and its Unix socket if it has one. ::1 may be left out where the host has no
/// IPv6. An error names the field, within the listener, and its value.
[[nodiscard]] Result<std::vector<Wanted>> wanted(const config::Listener& listener);
/// It could be bound here, on some port.
[[nodiscard]] bool host_has(const Address& address);

}  // namespace ambassador::proxy::net
