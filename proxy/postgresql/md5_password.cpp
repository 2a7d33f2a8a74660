#include "proxy/postgresql/md5_password.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

namespace ambassador::proxy::postgresql {
namespace {

// The digest of `text` as hexadecimal digits; empty: OpenSSL refuses.
std::string md5_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 16> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_md5(), nullptr) != 1) return {};
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace

Result<std::string> md5_password(std::string_view user, std::string_view password, std::string_view salt) {
  std::string secret;
  secret.reserve(password.size() + user.size());  // no copy is left behind by growing
  secret.append(password).append(user);
  std::string stored = md5_hex(secret);
  OPENSSL_cleanse(secret.data(), secret.size());
  if (stored.empty()) return Error{"", "OpenSSL refuses MD5 here: set the user's password as scram-sha-256"};
  stored.append(salt);
  std::string answer = "md5" + md5_hex(stored);
  OPENSSL_cleanse(stored.data(), stored.size());  // it logs in as well as the password
  return answer;
}

}  // namespace ambassador::proxy::postgresql
