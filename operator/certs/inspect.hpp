// Reads certificates that others may have written: what they say, whether a key fits, whether a verifier such
// as the API server would take them. Pure; time comes in as an argument. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result/result.hpp"
#include "operator/certs/authority.hpp"

namespace ambassador::certs {

struct Certificate {
  std::string pem;  // as OpenSSL writes it, so that equal certificates are equal texts
  std::string subject;
  std::vector<std::string> dns_names;
  Time not_before;
  Time not_after;
  bool is_ca = false;
};

/// A bundle of ours holds two or three; more than this is not one of ours.
inline constexpr std::size_t kMaxCertificates = 32;

/// All certificates of a PEM text, in order; text between them is ignored. Empty where there is none.
std::vector<Certificate> read_certificates(std::string_view pem);

/// Does the key belong to the first certificate of `pem`?
bool key_fits(std::string_view pem, std::string_view key);

/// Would a TLS client that trusts `bundle` take the first certificate of `chain` (with the others as
/// intermediates) for a server called `dns_name` at that time? The Error says what OpenSSL's verify says.
Result<void> verify(std::string_view chain, std::string_view bundle, const std::string& dns_name, Time at);

}  // namespace ambassador::certs
