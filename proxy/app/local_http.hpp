// One request to a port of this proxy on loopback, for the subcommands that ask a running proxy.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/result/result.hpp"

namespace ambassador::proxy::app {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// Blocks for at most `timeout`. An Error says that nobody answers there.
Result<HttpAnswer> http_get(std::uint16_t port, const std::string& path, std::chrono::milliseconds timeout);
/// Likewise, with the header without which nothing is changed (admin::kChangeHeader).
Result<HttpAnswer> http_post(std::uint16_t port, const std::string& path, std::chrono::milliseconds timeout);

}  // namespace ambassador::proxy::app
