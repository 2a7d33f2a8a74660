// Logging in at a server, from the first byte to ReadyForQuery: TLS where it is wanted, the startup message,
// authentication, then what the server says of itself. Used by PostgresqlServer until the connection is
// ready. Pure: the nonce comes in. Nothing is believed of a server before it is asked for: a message out of
// its place ends the attempt.
//
// Source: https://www.postgresql.org/docs/current/protocol-flow.html
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result/result.hpp"
#include "proxy/postgresql/credentials.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/parameters.hpp"
#include "proxy/postgresql/scram_client.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::postgresql {

/// How a connection to a server begins.
struct LoginPlan {
  bool encrypt = false;  // TLS or no connection; what is verified is the relay's to do
  /// False: once it is encrypted, the client itself logs in (authentication Passthrough).
  bool log_in = true;
  /// Who logs in; nullptr only where nobody does.
  std::shared_ptr<Credentials> credentials{};
  /// Of the startup message, without `user`.
  std::vector<std::pair<std::string, std::string>> parameters{};
  /// Random, printable, without a comma: 24 characters of base64 are what libpq takes.
  std::string nonce{};
};

class Login {
 public:
  explicit Login(LoginPlan plan);

  /// The next step, as PooledServer::on_bytes: need_more, skip, send, start_tls, ready, failed. With
  /// `failed`, the text is an ErrorResponse: the server's own where it sent one. Nothing is asked after ready
  /// or failed.
  Step on_bytes(std::string_view input);
  void tls_started(const TlsPeer& peer);

  // What was learnt, complete when it is ready.
  [[nodiscard]] Parameters& parameters() { return parameters_; }
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }
  /// Of the server's process; the key is empty when it gave none.
  [[nodiscard]] std::uint32_t process() const { return process_; }
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  enum class Phase : std::uint8_t {
    begin,           // nothing was sent
    encryption,      // SSLRequest was sent
    handshake,       // start_tls was said
    encrypted,       // TLS is there, nothing was sent in it
    authentication,  // the startup message was sent
    scram_begun,     // the client's first message was sent
    scram_proven,    // its last one was sent
    scram_verified,  // the server's proof was good
    answered,        // a password was sent
    authenticated,   // up to ReadyForQuery
  };

  Step begin();
  Step on_encryption_answer(std::string_view input);
  Step on_message(const Message& message);
  Step on_authentication(const Message& message);
  Step choose_mechanism(const Message& message, std::string_view mechanisms);
  Step send(Phase next, const Message& message);
  Step failed(std::string_view code, std::string_view what, bool passing = false);
  Step nonsense();

  LoginPlan plan_;
  Phase phase_ = Phase::begin;
  std::optional<TlsPeer> tls_;
  std::optional<ScramClient> scram_;
  Parameters parameters_;
  std::uint32_t process_ = 0;
  std::string key_;
  std::string text_;  // of the last step
};

}  // namespace ambassador::proxy::postgresql
