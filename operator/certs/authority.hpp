// Makes the CA and the serving certificate of the webhook: ECDSA P-256, signed with SHA-256. Pure but for
// OpenSSL's random numbers; time comes in as an argument. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/result/result.hpp"

namespace ambassador::certs {

using Time = std::chrono::system_clock::time_point;

/// The CA lives in one Secret and signs nothing but our own certificate. A year is short enough to be
/// rotated for real, and long enough for an operator that was away for months.
inline constexpr std::chrono::hours kCaLifetime{24 * 365};
/// The serving certificate.
inline constexpr std::chrono::hours kCertificateLifetime{24 * 30};
/// Both are valid from before they were made: an API server's clock may be behind ours.
inline constexpr std::chrono::hours kBackdate{1};

/// PEM texts. The key is PKCS #8, not encrypted.
struct KeyPair {
  std::string certificate;
  std::string key;
};

/// A self-signed CA that may sign leaves only.
Result<KeyPair> make_ca(Time now);

/// A server's certificate for these DNS names (at least one), signed by `ca`; it ends no later than the CA.
Result<KeyPair> issue(const KeyPair& ca, const std::vector<std::string>& dns_names, Time now);

}  // namespace ambassador::certs
