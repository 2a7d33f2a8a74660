// What the relays of a worker call outside of it. Made by Proxy; any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/net/event.hpp"
#include "proxy/net/upstream.hpp"

namespace ambassador::proxy::net {

struct Outside {
  EventSink events;
  /// A backend's addresses did not work: ask again.
  std::function<void(const std::shared_ptr<Upstream>&)> resolve_again;
  /// A client of this worker has been closed.
  std::function<void()> client_closed;
  /// A client of `listener` wishes to interrupt another one, which may be with any worker.
  std::function<void(std::string listener, std::string text)> cancel;
};

}  // namespace ambassador::proxy::net
