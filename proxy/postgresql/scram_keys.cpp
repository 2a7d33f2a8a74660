#include "proxy/postgresql/scram_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "proxy/postgresql/base64.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/scram_text.hpp"

namespace ambassador::proxy::postgresql {
namespace {

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// OpenSSL without SHA-256 cannot be worked with, and has no TLS either.
void must(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

// The text in front of the next `end`, which is taken too; all of it when there is none.
std::string_view take_until(std::string_view& text, char end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return taken;
}

bool read_digest(std::string_view text, ScramDigest& digest) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != digest.size()) return false;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return true;
}

}  // namespace

ScramDigest hmac(const ScramDigest& key, std::string_view text) {
  ScramDigest digest;
  must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(text), text.size(), digest.data(),
            nullptr) != nullptr);
  return digest;
}

ScramDigest sha256(std::string_view bytes) {
  ScramDigest digest;
  must(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

std::string_view as_text(const ScramDigest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

bool equal(const ScramDigest& a, const ScramDigest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

ScramKeys::~ScramKeys() {
  OPENSSL_cleanse(client.data(), client.size());
  OPENSSL_cleanse(server.data(), server.size());
}

ScramKeys derive_scram_keys(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  assert(iterations >= 1 && iterations <= kMaxScramIterations);
  ScramDigest salted;
  must(PKCS5_PBKDF2_HMAC(password.empty() ? "" : password.data(), static_cast<int>(password.size()),
                         raw(salt), static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                         static_cast<int>(salted.size()), salted.data()) == 1);
  ScramKeys keys;
  keys.client = hmac(salted, "Client Key");
  keys.server = hmac(salted, "Server Key");
  OPENSSL_cleanse(salted.data(), salted.size());
  return keys;
}

const ScramKeys& ScramCache::keys(std::string_view password, std::string_view salt,
                                  std::uint32_t iterations) {
  if (iterations != iterations_ || salt != salt_) {
    keys_ = derive_scram_keys(password, salt, iterations);
    salt_ = salt;
    iterations_ = iterations;
  }
  return keys_;
}

std::string ScramVerifier::text() const {
  return std::string(kScram) + "$" + std::to_string(iterations) + ":" + base64(salt) + "$" +
         base64(as_text(stored_key)) + ":" + base64(as_text(server_key));
}

Result<ScramVerifier> read_scram_verifier(std::string_view text) {
  ScramVerifier verifier;
  if (take_until(text, '$') != kScram)
    return Error{"", "not a SCRAM verifier: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>"};
  const auto iterations = read_iterations(take_until(text, ':'));
  if (!iterations) return iterations.error();
  verifier.iterations = *iterations;
  const auto salt = from_base64(take_until(text, '$'));
  if (!salt || salt->empty()) return Error{"", "the salt of the SCRAM verifier is not base64"};
  verifier.salt = *salt;
  if (!read_digest(take_until(text, ':'), verifier.stored_key) || !read_digest(text, verifier.server_key))
    return Error{"", "the keys of the SCRAM verifier are not 32 bytes in base64 each"};
  return verifier;
}

ScramVerifier make_scram_verifier(std::string_view password, std::string_view salt,
                                  std::uint32_t iterations) {
  const ScramKeys keys = derive_scram_keys(password, salt, iterations);
  return {.iterations = iterations,
          .salt = std::string(salt),
          .stored_key = sha256(as_text(keys.client)),
          .server_key = keys.server};
}

}  // namespace ambassador::proxy::postgresql
