// What should happen to CA and certificate now? The whole life of both as one pure function over what the
// Secret holds: made, renewed in good time, replaced in two steps so that the API server trusts a new CA
// before anything signed by it is served.
//
//   CA:           new --(2/3 of its life)--> the next one goes first into the bundle, the old one stays in it
//                 until it expires; its key is gone.
//   certificate:  new --(2/3 of its life, or the CA before it changed and the new one is trusted)--> new
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "operator/certs/authority.hpp"

namespace ambassador::certs {

/// What the Secret holds, as PEM. Texts that others wrote: anything may be missing or wrong.
struct Material {
  std::string ca_bundle;  // the CA that signs comes first
  std::string ca_key;
  std::string certificate;
  std::string key;
  friend bool operator==(const Material&, const Material&) = default;
};

/// API servers see a changed webhook configuration within seconds; those that were cut off from etcd get this
/// long before a certificate of a new CA is served.
inline constexpr std::chrono::minutes kTrustDelay{60};
/// A bundle never grows beyond this, whatever somebody put into the Secret.
inline constexpr std::size_t kMaxTrusted = 4;

struct RotationInput {
  Material current;  // all empty: there is none yet
  std::vector<std::string> dns_names;
  Time now;
  /// Does the API server trust this CA (PEM) already, as far as we can see?
  std::function<bool(const std::string& ca)> trusted;
};

struct Rotation {
  Material material;
  /// "a new CA: the old one ends on ..." for the log; empty: nothing to do, material is current.
  std::string reason;
};

/// The Error is OpenSSL's alone (no entropy, no memory).
Result<Rotation> rotate(const RotationInput& input);

/// When certificate and CA are due: at two thirds of their lives.
Time renewal_of(Time not_before, Time not_after);

}  // namespace ambassador::certs
