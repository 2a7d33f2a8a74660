// Who logs in at the servers of a listener. One object per worker and version of the Secret: all of its
// server connections share the keys derived from the password. Wiped at its end.
#pragma once

#include <openssl/crypto.h>

#include <string>
#include <utility>

#include "proxy/postgresql/scram_keys.hpp"

namespace ambassador::proxy::postgresql {

class Credentials {
 public:
  Credentials(std::string user, std::string password)
      : user_(std::move(user)), password_(std::move(password)) {}
  ~Credentials() { OPENSSL_cleanse(password_.data(), password_.size()); }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] const std::string& password() const { return password_; }
  /// Of this password.
  [[nodiscard]] ScramCache& scram() { return scram_; }

 private:
  std::string user_;
  std::string password_;
  ScramCache scram_;
};

}  // namespace ambassador::proxy::postgresql
