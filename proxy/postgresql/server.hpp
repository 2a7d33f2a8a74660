// One connection to a PostgreSQL server: logs in, listens to what the server says unasked while no client
// holds it, and is cleaned between clients. The relay drives it; the session that it is lent to reads and
// writes what is known of it. Pure. Used by one worker's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/postgresql/login.hpp"
#include "proxy/postgresql/message_types.hpp"
#include "proxy/postgresql/parameters.hpp"
#include "proxy/postgresql/statement_names.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::postgresql {

class PostgresqlServer final : public PooledServer {
 public:
  explicit PostgresqlServer(LoginPlan plan);

  Step on_bytes(std::span<const char> input) override;
  void tls_started(const TlsPeer& peer) override;
  bool given_back() override;
  [[nodiscard]] Role role() const override;
  [[nodiscard]] std::string_view interruption() const override { return interruption_; }
  [[nodiscard]] std::string_view farewell() const override;

  // For the session that it is lent to, which sees all that the server sends meanwhile. -------------------
  /// What the server reported last; the session calls report() for each ParameterStatus that it sees.
  [[nodiscard]] Parameters& parameters() { return login_.parameters(); }
  [[nodiscard]] const Parameters& parameters() const { return login_.parameters(); }
  /// The prepared statements that it has.
  [[nodiscard]] StatementNames& statements() { return statements_; }
  /// Of the last ReadyForQuery.
  [[nodiscard]] char transaction_status() const { return transaction_status_; }
  void transaction_status(char status) { transaction_status_ = status; }
  /// The client may have left what only DISCARD ALL takes away (settings, temporary tables, locks, ...): to
  /// be said at any time before it is given back. It is for each client that has a server to itself.
  void left_something() { left_something_ = true; }
  /// The server's own, by which isolation tests and monitoring know a session; 0: it gave none.
  [[nodiscard]] std::uint32_t process() const { return login_.process(); }

 private:
  enum class Phase : std::uint8_t {
    login,
    at_rest,   // idle or lent
    cleaning,  // given back; ROLLBACK and DISCARD ALL are to be sent
    cleaned,   // they were sent
  };

  Step logging_in(std::string_view input);
  Step clean();
  Step unasked(std::string_view input);
  Step on_ready(const Message& message);
  Step broken();

  bool log_in_;  // otherwise all is the client's
  Login login_;
  Phase phase_ = Phase::login;
  StatementNames statements_;
  char transaction_status_ = kIdle;
  bool left_something_ = false;
  unsigned awaited_ = 0;  // ReadyForQuery that cleaning still brings
  std::string interruption_;
  std::string text_;  // of the last step
};

}  // namespace ambassador::proxy::postgresql
