// What a client has between MULTI and EXEC, and between WATCH and EXEC. Commands are queued here, each
// checked as a server would, and sent in one piece, MULTI and EXEC around them: so no other client's command
// comes between them on a shared connection, and a connection that ends takes all of them with it or none.
// Watched keys are a server's to watch, on a connection of the client's own. Used by the session. Pure.
//
// Source: https://redis.io/docs/interact/transactions/; Redis 7.0 multi.c.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/redis/limits.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

class Transaction {
 public:
  /// MULTI.
  void begin();
  [[nodiscard]] bool begun() const { return begun_; }
  /// A command was refused: EXEC will do nothing.
  void abort();
  [[nodiscard]] bool aborted() const { return aborted_; }
  /// Queues a command (a whole request, as multibulk). False: they are more than kMaxTransaction bytes; the
  /// transaction is aborted.
  [[nodiscard]] bool add(std::string_view request);
  [[nodiscard]] bool empty() const { return commands_ == 0; }
  /// EXEC, or DISCARD: it is over. The requests for the server, which has replies() replies to them.
  [[nodiscard]] std::string end();
  /// To MULTI, each command and EXEC.
  [[nodiscard]] std::uint32_t replies() const { return commands_ + 2; }

  bool mirrored = false;  // one of its commands is to be
  /// Where its keys are; anywhere: it has named none yet.
  Home home = Home::anywhere;

 private:
  bool begun_ = false;
  bool aborted_ = false;
  std::uint32_t commands_ = 0;
  std::string text_;
};

/// WATCH.
struct Watch {
  bool on = false;
  /// The server does not watch the keys any more, or they are elsewhere now: EXEC must not do anything.
  bool lost = false;
  BackendIndex backend = kNoBackend;
  Home home = Home::anywhere;  // of the keys
};

}  // namespace ambassador::proxy::redis
