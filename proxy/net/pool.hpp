// The server connections of one listener and worker, and who waits for them. At most so many at once,
// whatever they are for; who comes first is served first, and waits at most timeouts.queue. Opens connections
// for those who wait, lets go of what is idle, old or in the way. One worker's thread only.
#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/generation.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/placed.hpp"
#include "proxy/net/server_connection.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::net {

class PooledClient;
class PooledRelay;

/// What a client waits for; a part of the client, so that waiting takes no memory.
struct Borrower : boost::intrusive::list_base_hook<> {
  PooledClient* client = nullptr;
  std::string_view key{};  // PooledSession::Want::key
  Role role = Role::any;
  bool alone = false;
  SteadyTime since{};
  SteadyTime until{};  // it waits no longer, except while the pool is paused
  /// Role::replica: it must have what was written until then.
  SteadyTime wrote{};

  /// Of a connection that can be its.
  [[nodiscard]] const PooledClient* alone_for() const { return alone ? client : nullptr; }
};
using Borrowers = boost::intrusive::list<Borrower>;

class Pool final : public Peer, public ServerOwner {
 public:
  /// A connection that nobody borrowed for so long is closed.
  static constexpr std::chrono::minutes kIdleMost{10};
  /// How often what is idle and old is looked for.
  static constexpr std::chrono::seconds kSweepEvery{10};
  /// A login that was refused for good is not tried again for so long: many clients are not many logins.
  static constexpr std::chrono::milliseconds kRefusedFor{1000};
  /// Keys whose refusal is remembered at once.
  static constexpr std::size_t kRefusalsMost = 256;
  /// Connections go to whom they fit, past a first in the queue whom they don't, until he has waited so long.
  static constexpr std::chrono::milliseconds kPatience{100};

  explicit Pool(PooledRelay& relay);
  ~Pool() override;

  // What clients do. -------------------------------------------------------------------------------------
  /// The session of `client` wants a server. Calls its lent() or not_lent(), now or later.
  void borrow(PooledClient& client);
  /// It wants none any more.
  void forget(PooledClient& client);
  [[nodiscard]] bool somebody_waits() const { return !borrowers_.empty(); }

  // ServerOwner
  void ready(ServerConnection& server) override;
  void unreachable(ServerConnection& server, std::string_view why) override;
  void refused(ServerConnection& server, std::string_view text, bool passing, std::string_view why) override;
  void closed(ServerConnection& server) override;
  [[nodiscard]] bool too_many() const override { return servers_.size() > most(); }

  // What the relay does. ---------------------------------------------------------------------------------
  /// `login_changed`: connections made before are not lent again.
  void adopt(bool login_changed);
  void addresses_changed(const Upstream& upstream);
  /// Whom the connections fit may have changed, and what is reached.
  void standing_changed();
  /// Lends nothing until then, unless it is resumed before: who wants a server waits, what is idle is closed,
  /// what is lent when it is given back. Who began to wait before waits timeouts.queue from its end on.
  void pause(SteadyTime until);
  void resume();
  /// Opens nothing any more...
  void stop() { closing_ = true; }
  /// ...and, when no client is left, closes all.
  void close();
  [[nodiscard]] bool empty() const { return servers_.empty(); }

  // Peer. It has no socket; flush comes at the end of a turn in which somebody waited or left.
  void on_ready(std::uint32_t /*events*/) override {}
  void on_deadline(SteadyTime now) override;
  void flush() override;
  void go_on() override {}

 private:
  /// What this worker found out about reaching a backend.
  struct Reach {
    std::shared_ptr<Upstream> upstream;
    unsigned failures = 0;
    SteadyTime not_before{};
  };
  struct Refusal {
    std::string key;
    std::string text;
    bool passing;
    SteadyTime until;
  };

  // pool.cpp
  [[nodiscard]] unsigned most() const;
  [[nodiscard]] bool serve(ServerConnection& server);
  void lend(ServerConnection& server, const Borrower& borrower);
  void fail(Borrower& borrower, Failure failure, std::string_view text);
  void leave(Borrower& borrower);
  [[nodiscard]] bool fits(const ServerConnection& server, const Borrower& borrower) const;
  [[nodiscard]] ServerConnection* take_idle(const Borrower& borrower);
  [[nodiscard]] bool paused() const { return loop().now() < paused_until_; }
  void expire(SteadyTime now);
  void sweep(SteadyTime now);

  // pool_open.cpp
  void open_for(const Borrower& borrower, BackendIndex backend);
  [[nodiscard]] bool make_room();
  [[nodiscard]] BackendIndex choose(const Borrower& borrower, SteadyTime now);
  [[nodiscard]] bool reads_from(const Upstream& upstream, const Borrower& borrower, SteadyTime now) const;
  [[nodiscard]] bool no_replica_for(const Borrower& borrower, SteadyTime now) const;
  [[nodiscard]] bool finding_out(const Reach& known) const;
  Reach& reach(const std::shared_ptr<Upstream>& upstream);
  [[nodiscard]] const Refusal* refusal(std::string_view key, SteadyTime now) const;
  void remember(std::string_view key, std::string_view text, bool passing);
  [[nodiscard]] Loop& loop() const;

  PooledRelay& relay_;
  Placed<ServerConnection> servers_;
  std::vector<ServerConnection*> idle_;  // the last one was used last
  Borrowers borrowers_;
  std::vector<Reach> reaches_;
  std::vector<Refusal> refusals_;
  SteadyTime swept_;
  SteadyTime paused_until_{};  // long gone: it is not
  bool closing_ = false;
};

}  // namespace ambassador::proxy::net
