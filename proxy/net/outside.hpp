// What the relays of a worker call outside of it. Made by Proxy; any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/event.hpp"
#include "proxy/net/socket.hpp"
#include "proxy/net/upstream.hpp"

namespace ambassador::proxy::net {

/// A client's wish to interrupt what another one runs. Whoever still has to do with it keeps a copy: the
/// client sees the end of its connection when nobody does, and knows that nothing of it will come later.
struct Wish {
  std::string text;
  std::shared_ptr<const Socket> asker;
};

class Service;

struct Outside {
  EventSink events;
  /// A backend's addresses did not work: ask again.
  std::function<void(const std::shared_ptr<Upstream>&)> resolve_again;
  /// A client of this worker has been closed.
  std::function<void()> client_closed;
  /// Which of the servers of `listener` is the primary is in doubt: to be found out at once.
  std::function<void(std::string listener)> ask_standing;
  /// A server of `listener` says something else of itself than before.
  std::function<void(std::string listener)> standing_changed;
  /// Another listener of this worker; null: there is none of that name. On the worker's thread.
  std::function<Service*(std::string_view listener)> service;
  /// Of a client of `listener`; whom it means may be with any worker.
  std::function<void(std::string listener, Wish wish)> cancel;
};

}  // namespace ambassador::proxy::net
