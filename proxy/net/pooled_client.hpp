// One client's connection of a pooled protocol: asks its session what the bytes of the client, and of the
// server that is lent to it, mean, and carries the steps out. One worker's thread only. Where its two parts
// lie: pooled_client.cpp (the socket), steps.cpp (what the session says).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/net/generation.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/outside.hpp"
#include "proxy/net/pool.hpp"
#include "proxy/net/ring.hpp"
#include "proxy/net/wire.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::net {

class PooledRelay;

class PooledClient final : public Peer {
 public:
  /// Receives per turn (of one block each), so that no client starves others.
  static constexpr int kReadsPerTurn = 4;
  /// A client that does not take what its server sends keeps the server for so long at most while others
  /// wait for one.
  static constexpr std::chrono::seconds kStalledMost{30};
  /// How long it may take to read what it is told before its connection is closed.
  static constexpr std::chrono::seconds kLastWords{5};

  PooledClient(PooledRelay& relay, std::shared_ptr<const Generation> generation, Socket socket, Address peer,
               std::shared_ptr<OpenClients> open);
  ~PooledClient() override;
  /// Starts reading. False: the kernel refused; the client is to be closed.
  [[nodiscard]] bool start();

  // What the pool does. ----------------------------------------------------------------------------------
  [[nodiscard]] PooledSession::Want want() const { return session_->want(); }
  void lent(ServerConnection& server);
  void not_lent(Failure failure, std::string_view text);
  Borrower borrower;  // while it waits
  /// When it may have written last; SteadyTime::min(): never.
  [[nodiscard]] SteadyTime wrote_at() const { return wrote_at_; }

  // What its server does. --------------------------------------------------------------------------------
  /// There is input.
  void server_sent();
  void server_has_room() { read_on_if_stopped(); }
  void server_lost();
  /// So much waits for the client to read that its server is not read.
  [[nodiscard]] bool unread() const { return wire_.full(); }

  // What the relay does. ---------------------------------------------------------------------------------
  void close();
  /// Closes when it is at rest.
  void drain();
  /// True: it was meant. What it runs is interrupted, or its wait for a server ends.
  [[nodiscard]] bool cancel(const Wish& wish);
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] ClientSnapshot describe(SteadyTime now) const;
  std::size_t place = 0;  // in the relay's list

  // Peer
  void on_ready(std::uint32_t events) override;
  void on_deadline(SteadyTime now) override;
  void flush() override;
  void go_on() override;

 private:
  /// Bytes of one side that come still and of which the session has said what becomes of them.
  struct Rest {
    std::uint64_t bytes = 0;
    bool forward = false;
  };

  // pooled_client.cpp
  void read();
  [[nodiscard]] bool may_read();
  void received(std::size_t bytes);
  void wrote_more();
  void read_on_if_stopped();
  void start_tls();
  void shake();
  void end();
  void leave_server();
  void broken(const char* why);
  void set_deadline();
  void limit_login();
  void leave_if_told();
  [[nodiscard]] Loop& loop() const;

  // steps.cpp
  void ask();
  [[nodiscard]] bool may_ask() const;
  [[nodiscard]] bool carry_out(Side from, const Step& step);
  void forward(Side from, std::string_view bytes);
  void send(Side to, std::string_view text);
  void take_rest(Side from);
  void head_too_long(Side of);
  void give_back(const Step& step);
  void wrote();
  void count(const Step& step);
  void server_gets(std::uint64_t requests);
  void forget_requests();
  void rebind_if_stale();
  [[nodiscard]] Rest& rest(Side side) { return rest_[static_cast<std::size_t>(side)]; }
  [[nodiscard]] Wire& wire(Side side);

  PooledRelay& relay_;
  std::shared_ptr<const Generation> generation_;
  const PooledCore::Client who_;
  const std::unique_ptr<PooledSession> session_;
  Wire wire_;
  Socket accepted_;  // until start()
  Address peer_;
  std::shared_ptr<OpenClients> open_;
  std::shared_ptr<void> certificate_;  // of its TLS

  bool closed_ = false;
  bool stopped_ = false;    // reading stopped for a reason that will pass
  bool asking_ = false;     // ask() is at work
  bool must_ask_ = false;   // even with no input
  bool borrowing_ = false;  // waits for a server
  bool held_ = false;       // until its server has said something
  bool tls_due_ = false;    // when all is written
  bool ending_ = false;     // close when all is written
  bool draining_ = false;
  std::array<Rest, 2> rest_{};
  ServerConnection* server_ = nullptr;

  Ring<SteadyTime> begun_;  // requests that are not answered
  std::uint64_t owed_ = 0;  // the first of them, which the server's counters know
  SteadyTime stalled_since_ = SteadyTime::max();
  SteadyTime ends_at_ = SteadyTime::max();
  SteadyTime wrote_at_ = SteadyTime::min();
  SteadyTime logged_in_by_;
  SteadyTime started_;
  SteadyTime active_;  // last traffic
  std::uint64_t requests_ = 0, bytes_received_ = 0, bytes_sent_ = 0;
};

}  // namespace ambassador::proxy::net
