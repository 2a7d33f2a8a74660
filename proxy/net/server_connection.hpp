// One connection of a pool: connected and logged in by itself, then lent to one client after the other. Its
// protocol (PooledServer) is asked while no client holds it; while one does, the client's session is. Owned
// by its ServerOwner. One worker's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/connecting.hpp"
#include "proxy/net/counters.hpp"
#include "proxy/net/generation.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/server_owner.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/net/wire.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::net {

class PooledClient;
class PooledRelay;

class ServerConnection final : public Peer {
 public:
  /// Receives per turn, of one block each, so that no server starves others.
  static constexpr int kReadsPerTurn = 8;
  /// TLS and login, and putting things in order after a client, may take this many times timeouts.connect.
  static constexpr int kPrepareTimes = 3;

  enum class State : std::uint8_t {
    connecting,
    preparing,  // TLS, login, putting things in order after a client, or asking for its standing
    idle,       // ready to be lent
    lent,
    held,  // given back, but an interruption is still under way: it must not meet the next client
    closed,
  };

  /// `backend` counts in `generation`.
  ServerConnection(PooledRelay& relay, ServerOwner& owner, std::shared_ptr<const Generation> generation,
                   BackendIndex backend, const Errand& errand);
  ~ServerConnection() override;

  // What the owner does. ---------------------------------------------------------------------------------
  void open();
  /// `role`: what the client wants it for.
  void lend(PooledClient& client, Role role);
  /// It is idle: asks it for its standing; ready() comes again.
  void ask();
  /// The server is superseded: nothing more may be written by it.
  void supersede();
  /// Nobody holds it: says goodbye and closes.
  void close_in_peace();
  /// Ends at once, tells nobody.
  void close();
  /// It is closed when it is given back.
  void retire() { retired_ = true; }
  [[nodiscard]] bool retired() const { return retired_; }
  void addresses_changed();
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] PooledClient* alone_for() const { return alone_for_; }
  [[nodiscard]] Role role() const { return server_->standing().role; }
  [[nodiscard]] Standing standing() const { return server_->standing(); }
  [[nodiscard]] Role opened_for() const { return opened_for_; }
  [[nodiscard]] const std::shared_ptr<Upstream>& upstream() const { return upstream_; }
  [[nodiscard]] bool opening() const {
    return state_ == State::connecting || (state_ == State::preparing && !was_ready_);
  }
  [[nodiscard]] SteadyTime idle_since() const { return idle_since_; }
  /// It has lived long enough, is not wanted any more, or its address is gone.
  [[nodiscard]] bool outlived(SteadyTime now) const { return retired_ || moved_ || now >= old_at_; }
  std::size_t place = 0;  // in the pool's list

  // What the client that holds it does. ------------------------------------------------------------------
  [[nodiscard]] Wire& wire() { return wire_; }
  [[nodiscard]] PooledServer& protocol() { return *server_; }
  [[nodiscard]] BackendCounters& counters() { return *counters_; }
  /// What the client that holds it wants it for.
  [[nodiscard]] Role lent_for() const { return lent_for_; }
  void give_back();
  /// The client left in the middle of something: interrupts it, then closes.
  void abandon();
  /// It broke the protocol.
  void broken(std::string_view why) { lost(why); }
  /// The client reads again.
  void client_has_room() { loop().again(*this); }

  // What interruptions do. -------------------------------------------------------------------------------
  void interruption_began() { ++interruptions_; }
  [[nodiscard]] unsigned interruptions() const { return interruptions_; }
  void interruption_ended();
  [[nodiscard]] const Address& address() const { return connecting_.address(); }
  [[nodiscard]] const std::shared_ptr<const Generation>& generation() const { return generation_; }

  // Peer
  void on_ready(std::uint32_t events) override;
  void on_deadline(SteadyTime now) override;
  void flush() override;
  void go_on() override { read(); }

 private:
  // server_prepare.cpp
  void came_to(Connecting::State state);
  void connected();
  void shake();
  void prepare();
  void talk();
  [[nodiscard]] bool carry_out(const Step& step);
  void start_tls();
  void ready();
  void not_prepared(std::string_view text, bool passing, std::string_view why);
  void watch_preparing();
  void note_standing();

  // server_connection.cpp
  void read();
  void lost(std::string_view why);
  void went_on_after_client();
  [[nodiscard]] Loop& loop() const;

  PooledRelay& relay_;
  ServerOwner& owner_;
  const std::shared_ptr<const Generation> generation_;
  const std::shared_ptr<Upstream> upstream_;
  const std::shared_ptr<BackendCounters> counters_;
  const std::string key_;
  PooledClient* const alone_for_;  // the only client it is for, or null
  const Role opened_for_;
  const std::unique_ptr<PooledServer> server_;

  State state_ = State::connecting;
  Role lent_for_ = Role::any;
  bool was_ready_ = false;
  bool retired_ = false;
  bool moved_ = false;  // the name has other addresses now
  bool abandoned_ = false;
  bool up_ = false;         // counted as open
  std::uint64_t skip_ = 0;  // bytes that lead nowhere
  unsigned interruptions_ = 0;
  PooledClient* client_ = nullptr;
  Connecting connecting_;
  Wire wire_;
  SteadyTime prepared_until_;
  SteadyTime idle_since_;
  SteadyTime old_at_;
};

}  // namespace ambassador::proxy::net
