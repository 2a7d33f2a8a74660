// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as the server: checks that a client knows the password, given what
// PostgreSQL would keep of it. Used by the session for listeners whose clients authenticate. Pure: the nonce
// comes in.
//
// Source: RFC 5802, RFC 7677, RFC 5929; PostgreSQL's auth-scram.c.
#pragma once

#include <string>
#include <string_view>

#include "common/result/result.hpp"
#include "proxy/postgresql/scram_keys.hpp"

namespace ambassador::proxy::postgresql {

class ScramServer {
 public:
  /// `nonce`: unpredictable, printable, without a comma. `end_point`: the hash of our certificate; empty:
  /// PLUS was not offered.
  ScramServer(ScramVerifier verifier, std::string nonce, std::string end_point = {});

  /// The answer to the client's first message.
  [[nodiscard]] Result<std::string> answer(std::string_view mechanism, std::string_view client_first);
  /// The last message, which lets the client in.
  [[nodiscard]] Result<std::string> finish(std::string_view client_final) const;

 private:
  ScramVerifier verifier_;
  std::string nonce_;  // first ours, then the client's and ours
  std::string end_point_;
  std::string binding_;  // what the client has to repeat
  std::string first_messages_;
};

}  // namespace ambassador::proxy::postgresql
