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
#include "proxy/postgresql/values.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::postgresql {

class PostgresqlServer final : public PooledServer {
 public:
  explicit PostgresqlServer(LoginPlan plan);

  Step on_bytes(std::span<const char> input) override;
  void tls_started(const TlsPeer& peer) override;
  bool given_back() override;
  [[nodiscard]] Standing standing() const override { return standing_; }
  void ask() override;
  [[nodiscard]] std::string_view interruption() const override { return interruption_; }
  [[nodiscard]] std::string_view farewell() const override;

  // For the session that it is lent to, which sees all that the server sends meanwhile. -------------------
  /// What the server reported last; the session calls report() for each ParameterStatus that it sees.
  [[nodiscard]] const Parameters& parameters() const { return login_.parameters(); }
  bool report(std::string_view body);
  /// Of those, what is kept per client; and what it was after the login.
  [[nodiscard]] const Values& tracked() const { return tracked_; }
  [[nodiscard]] const Parameters& at_login() const { return at_login_; }
  /// The prepared statements that it has.
  [[nodiscard]] StatementNames& statements() { return statements_; }
  /// Which unnamed statement it has, by a number that no other one has; 0: it may have any, or none.
  static constexpr std::uint64_t kNoStatement = ~std::uint64_t{0};  // surely none
  [[nodiscard]] std::uint64_t unnamed() const { return unnamed_; }
  void unnamed(std::uint64_t statement) { unnamed_ = statement; }
  /// Of the last ReadyForQuery.
  [[nodiscard]] char transaction_status() const { return transaction_status_; }
  void transaction_status(char status) { transaction_status_ = status; }
  /// The client may have left what only DISCARD ALL takes away (settings, temporary tables, locks, ...): to
  /// be said at any time before it is given back. It is for each client that has a server to itself.
  void left_something() { left_something_ = true; }
  /// The server's own, by which isolation tests and monitoring know a session; 0: it gave none.
  [[nodiscard]] std::uint32_t process() const { return login_.process(); }
  /// Passthrough: the client's own login was told these.
  void key(std::uint32_t process, std::string_view key);

 private:
  enum class Phase : std::uint8_t {
    login,
    at_rest,   // idle or lent
    cleaning,  // given back; ROLLBACK and DISCARD ALL are to be sent
    cleaned,   // they were sent
    to_ask,    // nobody's; its standing is to be asked for
    asked,     // it was
  };

  Step logging_in(std::string_view input);
  Step clean();
  Step unasked(std::string_view input);
  Step on_ready(const Message& message);
  Step ask_standing();
  void note_role(std::string_view in_hot_standby);
  Step broken();

  bool log_in_;  // otherwise all is the client's
  Login login_;
  Phase phase_ = Phase::login;
  StatementNames statements_;
  Standing standing_;
  Values tracked_;
  Parameters at_login_;
  std::uint64_t unnamed_ = 0;
  char transaction_status_ = kIdle;
  bool left_something_ = false;
  unsigned awaited_ = 0;  // ReadyForQuery that cleaning or asking still brings
  std::string interruption_;
  std::string text_;  // of the last step
};

}  // namespace ambassador::proxy::postgresql
