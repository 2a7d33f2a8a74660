// What the edge has to say to the person on call: one event, one line. proxy/app turns events into log lines;
// tests collect them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/config/document.hpp"

namespace ambassador::proxy::net {

struct Event {
  config::LogLevel level = config::LogLevel::info;
  std::string what;                                              // a sentence without variable parts
  std::vector<std::pair<std::string_view, std::string>> fields;  // listener, backend, address, client, error
};

/// Called on any thread; must not block for long and must not call back into the proxy.
using EventSink = std::function<void(const Event&)>;

}  // namespace ambassador::proxy::net
