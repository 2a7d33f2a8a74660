// Keeps knowing which of a listener's servers takes writes, and how far behind it the others are: asks each
// for its standing, on a connection of its own per server, that nobody borrows. More than once a second while
// a primary is there and answers (and more often yet where the lag that is allowed is short), ten times a
// second while none is, so that a promotion is known soon, and while clients wait to read what they wrote.
// One worker of a listener watches, and only where there are several servers and the protocol can ask
// (Generation::watches); what it learns goes to the Upstreams, and all workers are told of a change
// (Outside::standing_changed). One worker's thread only.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/net/placed.hpp"
#include "proxy/net/server_connection.hpp"
#include "proxy/net/standings.hpp"

namespace ambassador::proxy::net {

class RoleWatch final : public Timed, public ServerOwner {
 public:
  /// Between two questions to a server. Each is moved by up to a tenth: the ambassadors of a fleet do not ask
  /// in step. A primary that was demoted without its connections being closed gets no write after a second.
  static constexpr std::chrono::milliseconds kInterval{800};
  static constexpr std::chrono::milliseconds kIntervalWithoutPrimary{100};
  /// While a client would read from a replica if it had what that client wrote.
  static constexpr std::chrono::milliseconds kIntervalForNews{100};

  explicit RoleWatch(PooledRelay& relay) : relay_(relay) {}
  ~RoleWatch();

  /// To be called once.
  void begin();
  /// The relay has another generation. `login_changed`: connections made before are of no use.
  void adopt(bool login_changed);
  void addresses_changed(const Upstream& upstream);
  void close();
  [[nodiscard]] bool empty() const { return servers_.empty(); }

  // Timed
  void on_deadline(SteadyTime now) override;

  // ServerOwner
  void ready(ServerConnection& server) override;
  void unreachable(ServerConnection& server, std::string_view why) override;
  void refused(ServerConnection& server, std::string_view text, bool passing, std::string_view why) override;
  void closed(ServerConnection& server) override;
  [[nodiscard]] bool too_many() const override { return false; }

 private:
  struct Watched {
    std::shared_ptr<Upstream> upstream;
    ServerConnection* server = nullptr;  // null: there is none now
    SteadyTime due;
    bool asked = false;  // on this connection
    SteadyTime asked_at{};
    bool answers = true;
    bool refused = false;  // its login, for good: what it says will not change soon
  };
  void ask(Watched& one, BackendIndex backend);
  Watched* find(const ServerConnection& server);
  [[nodiscard]] bool has_primary() const;
  void learn(Watched& one);
  [[nodiscard]] bool reads_wait() const;
  [[nodiscard]] bool news_wanted(SteadyTime now) const;
  void let_go(Watched& one);
  void wake();
  [[nodiscard]] SteadyTime next() const;
  [[nodiscard]] Loop& loop() const;

  PooledRelay& relay_;
  std::vector<Watched> watched_;  // in the order of the generation's upstreams
  Placed<ServerConnection> servers_;
  Standings standings_;
  bool closing_ = false;
};

}  // namespace ambassador::proxy::net
