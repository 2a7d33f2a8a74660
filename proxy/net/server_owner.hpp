// What a connection to a server and who opened it owe each other. One worker's thread only.
#pragma once

#include <string>
#include <string_view>

#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::net {

class PooledClient;
class ServerConnection;

/// Who opened a connection, and is told of it.
class ServerOwner {
 public:
  /// It is idle, for the first time or again.
  virtual void ready(ServerConnection& server) = 0;
  /// It could not be connected...
  virtual void unreachable(ServerConnection& server, std::string_view why) = 0;
  /// ...or not be logged in. `text` is what those who wait for its key are told, at once if not `passing`.
  virtual void refused(ServerConnection& server, std::string_view text, bool passing,
                       std::string_view why) = 0;
  /// It is closed; to be buried (Loop::bury).
  virtual void closed(ServerConnection& server) = 0;
  /// There are more than there may be.
  [[nodiscard]] virtual bool too_many() const = 0;

 protected:
  ~ServerOwner() = default;
};

/// What a connection is opened for; it may be lent to others.
struct Errand {
  std::string key;
  Role role = Role::any;
  PooledClient* alone = nullptr;  // the only client that it is for
};

}  // namespace ambassador::proxy::net
