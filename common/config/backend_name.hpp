// What a backend without a name is called: the one rule for parser, printer, and for servers that are found.
#pragma once

#include <string>

#include "common/config/document.hpp"

namespace ambassador::config {

/// "host:port", or the path of a Unix socket.
inline std::string default_name(const Backend& backend) {
  return backend.host.starts_with('/') ? backend.host : backend.host + ":" + std::to_string(backend.port);
}

}  // namespace ambassador::config
