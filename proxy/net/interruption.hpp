// One connection that tells a server to interrupt what another connection runs: connects to the same address,
// encrypts if that one is, sends PooledServer::interruption() and waits for the end. Until then the other
// connection is not lent again, so that the interruption meets nobody else. One worker's thread only.
#pragma once

#include <memory>
#include <string>

#include "proxy/net/generation.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/wire.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::net {

class PooledRelay;
class ServerConnection;

class Interruption final : public Peer {
 public:
  /// `asker` is kept open until the end; may be null.
  Interruption(PooledRelay& relay, ServerConnection& server, std::shared_ptr<const Socket> asker);
  ~Interruption() override;
  void start();
  /// Ends at once, tells nobody.
  void close();
  /// Whom to tell; null: it is closed.
  [[nodiscard]] ServerConnection* target() const { return server_; }
  void forget(const ServerConnection& server) {
    if (server_ == &server) server_ = nullptr;
  }

  // Peer
  void on_ready(std::uint32_t events) override;
  void on_deadline(SteadyTime now) override;
  void flush() override;
  void go_on() override { read(); }

 private:
  void connected();
  void open_tls();
  void shake();
  void send();
  void read();
  void over(std::string_view why);
  [[nodiscard]] Loop& loop() const;

  PooledRelay& relay_;
  ServerConnection* server_;
  const std::shared_ptr<const Socket> asker_;
  const std::shared_ptr<const Generation> generation_;
  const std::shared_ptr<Upstream> upstream_;
  const Address address_;
  const std::string text_;
  /// What a new connection says before it is encrypted; null: it is not to be.
  std::unique_ptr<PooledServer> opening_;
  Socket connecting_;
  Wire wire_;
  SteadyTime until_;
  bool sent_ = false;
  bool over_ = false;
};

}  // namespace ambassador::proxy::net
