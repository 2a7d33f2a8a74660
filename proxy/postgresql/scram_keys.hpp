// What SCRAM-SHA-256 makes of a password: the keys of a client, and the verifier that a server keeps instead
// of the password. Deriving them is slow by design (4096 rounds of HMAC take 1 to 3 ms), hence the
// cache. Passwords are taken as they are: PostgreSQL normalises those that are valid UTF-8 by SASLprep first,
// which changes no ASCII and few others (compatibility forms, decomposed accents, unusual spaces), and takes
// the bytes as we do where SASLprep fails. Used by scram_client and scram_server. Pure.
//
// Source: RFC 5802 section 3, RFC 7677; PostgreSQL's scram-common.c for the verifier's form.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result/result.hpp"

namespace ambassador::proxy::postgresql {

inline constexpr std::string_view kScram = "SCRAM-SHA-256";
inline constexpr std::string_view kScramPlus = "SCRAM-SHA-256-PLUS";
/// The channel binding of the PLUS mechanism (RFC 5929); also PostgreSQL's only one.
inline constexpr std::string_view kEndPointBinding = "tls-server-end-point";

using ScramDigest = std::array<unsigned char, 32>;

[[nodiscard]] ScramDigest hmac(const ScramDigest& key, std::string_view text);
[[nodiscard]] ScramDigest sha256(std::string_view bytes);
[[nodiscard]] std::string_view as_text(const ScramDigest& digest);
/// In a time that does not tell where they differ.
[[nodiscard]] bool equal(const ScramDigest& a, const ScramDigest& b);

/// The keys of one password with one salt; wiped at their end.
struct ScramKeys {
  ScramDigest client{};
  ScramDigest server{};

  ScramKeys() = default;
  ScramKeys(const ScramKeys&) = default;
  ScramKeys& operator=(const ScramKeys&) = default;
  ~ScramKeys();
};

/// `iterations`: 1 to kMaxScramIterations.
[[nodiscard]] ScramKeys derive_scram_keys(std::string_view password, std::string_view salt,
                                          std::uint32_t iterations);

/// The keys of *one* password with the salt that was asked for last: all servers of a cluster have the same
/// salt for a user. Belongs to whoever owns the password; used by one thread.
class ScramCache {
 public:
  const ScramKeys& keys(std::string_view password, std::string_view salt, std::uint32_t iterations);

 private:
  std::string salt_;
  std::uint32_t iterations_ = 0;
  ScramKeys keys_;
};

/// What suffices to check a client and to prove to it that one knows its password, but not to log in with.
struct ScramVerifier {
  std::uint32_t iterations = 0;
  std::string salt;
  ScramDigest stored_key{};
  ScramDigest server_key{};

  /// As in pg_authid.rolpassword: "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>".
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Result<ScramVerifier> read_scram_verifier(std::string_view text);
/// `salt` is random; PostgreSQL takes 16 bytes.
[[nodiscard]] ScramVerifier make_scram_verifier(std::string_view password, std::string_view salt,
                                                std::uint32_t iterations);

}  // namespace ambassador::proxy::postgresql
