// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as the client: proves to a server that it knows the password without
// saying it, and has the server prove the same. Used by logging in. Pure: the nonce comes in.
//
// Source: RFC 5802, RFC 7677, RFC 5929.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result/result.hpp"
#include "proxy/postgresql/scram_keys.hpp"

namespace ambassador::proxy::postgresql {

class ScramClient {
 public:
  /// What is said of channel binding, so that a server sees when somebody in between hid its offer.
  enum class Binding : std::uint8_t {
    none,         // there is nothing to bind to: no TLS
    not_offered,  // we could, the server did not offer PLUS
    end_point,    // PLUS, bound to the server's certificate
  };

  /// `nonce`: unpredictable, printable, without a comma. `end_point`: of Binding::end_point, the hash of the
  /// server's certificate. `user`: PostgreSQL takes the startup message's and wants none here.
  ScramClient(std::string nonce, Binding binding, std::string_view end_point = {},
              std::string_view user = {});

  /// The first message.
  [[nodiscard]] std::string first() const { return header_ + first_bare_; }
  /// The answer to the server's first. `cache` belongs to `password`.
  [[nodiscard]] Result<std::string> answer(std::string_view server_first, std::string_view password,
                                           ScramCache& cache);
  /// Whether the server's last message proves that it knows the password.
  [[nodiscard]] Result<void> verify(std::string_view server_final) const;

 private:
  std::string nonce_;
  std::string header_;   // GS2: what is said of channel binding
  std::string binding_;  // header_ and what it is bound to, in base64
  std::string first_bare_;
  ScramDigest server_signature_{};
};

}  // namespace ambassador::proxy::postgresql
