// With which servers one client is in step: everything that it did at them before is known to be in what is
// kept of their replies (reply_cache.hpp). A server tells of a change behind the reply to who made it, and
// maybe by another connection than that of the writer. So after anything but a read, the client's next read
// goes to the server: when its reply is there, all that the server told before was heard, since both come by
// the one shared connection. From then on what is kept is as new as anything that the client knows. Used by
// the session. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

class InStep {
 public:
  /// `whole`: the servers may copy from each other; then a client is in step with one of them at a time.
  void read(BackendIndex backend, bool whole);
  /// Something else than a read by the shared connection went to `backend`.
  void did(BackendIndex backend, bool whole);
  /// All that the client has sent was answered.
  void all_answered();
  /// With nobody; and nothing that is on its way changes that.
  void lost();
  [[nodiscard]] bool with(BackendIndex backend) const;

 private:
  struct Server {
    BackendIndex backend = kNoBackend;
    bool answered = false;
  };
  std::vector<Server> servers_;
  bool waits_ = false;  // for all that is on its way
};

}  // namespace ambassador::proxy::redis
