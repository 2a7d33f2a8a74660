// One listener of a pooled protocol as one worker serves it: its clients, its pool, the interruptions under
// way, its current generation. One worker's thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/generation.hpp"
#include "proxy/net/interruption.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/outside.hpp"
#include "proxy/net/placed.hpp"
#include "proxy/net/pool.hpp"
#include "proxy/net/pooled_client.hpp"
#include "proxy/net/role_watch.hpp"
#include "proxy/net/service.hpp"

namespace ambassador::proxy::net {

class PooledRelay final : public Service {
 public:
  /// So many cancels of clients are on their way to one server connection at most: one may meet what it was
  /// meant for, another what came next. Each is a connection, which a client could make thousands of.
  static constexpr unsigned kCancelsMost = 2;

  PooledRelay(Loop& loop, const Outside& outside, std::shared_ptr<const Generation> generation);
  ~PooledRelay() override;

  // Service. Clients move to an adopted configuration when they are at rest.
  [[nodiscard]] const std::shared_ptr<const Generation>& generation() const override { return generation_; }
  void adopt(std::shared_ptr<const Generation> generation) override;
  void accept(Socket socket, const Address& peer, std::shared_ptr<OpenClients> open) override;
  [[nodiscard]] bool draining() const override { return draining_; }
  void drain() override;
  void close() override;
  void addresses_changed(const Upstream& upstream) override;
  void standing_changed() override { pool_.standing_changed(); }
  void login_changed() override;
  void pause(SteadyTime until) override { pool_.pause(until); }
  void resume() override { pool_.resume(); }
  void cancel(const Wish& wish) override;
  void describe(std::vector<ClientSnapshot>& out, std::size_t limit) const override;
  [[nodiscard]] bool empty() const override { return clients_.empty(); }
  [[nodiscard]] bool gone() const override {
    return clients_.empty() && pool_.empty() && watch_.empty() && interruptions_.empty();
  }

  // What clients, servers and the pool need. -------------------------------------------------------------
  [[nodiscard]] Loop& loop() const { return loop_; }
  [[nodiscard]] Pool& pool() { return pool_; }
  [[nodiscard]] ListenerCounters& counters() const { return *generation_->listener_counters; }
  [[nodiscard]] const config::Timeouts& timeouts() const { return generation_->config.timeouts; }
  /// It is destroyed when the turn has ended.
  void client_closed(PooledClient& client, OpenClients& open);
  /// Interrupts what `server` runs, if its protocol can; interruption_ended() tells it. `asker`: who wishes
  /// so, kept open until then; may be null.
  void interrupt(ServerConnection& server, std::shared_ptr<const Socket> asker = nullptr);
  void interruption_over(Interruption& interruption);
  /// `server` is closed: nobody is to be told.
  void interruptions_forget(const ServerConnection& server);

 private:
  Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  Placed<PooledClient> clients_;
  std::vector<std::unique_ptr<Interruption>> interruptions_;
  Pool pool_;
  RoleWatch watch_;
  bool draining_ = false;
};

}  // namespace ambassador::proxy::net
