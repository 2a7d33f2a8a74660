// The Secret that all replicas share, to and from Material. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "operator/certs/rotation.hpp"

namespace ambassador::certs {

// Keys of its data. The first two are what the type kubernetes.io/tls asks for, and with ca.crt what
// cert-manager writes.
inline constexpr const char* kCertificateKey = "tls.crt";
inline constexpr const char* kPrivateKeyKey = "tls.key";
inline constexpr const char* kCaBundleKey = "ca.crt";
inline constexpr const char* kCaPrivateKeyKey = "ca.key";

/// What is absent or no base64 reads as empty.
Material read_secret(const nlohmann::json& secret);

/// The Secret to write: `current` (null for a new one) with this data; labels, further keys and
/// resourceVersion (the optimistic lock) of `current` stay.
nlohmann::json write_secret(const nlohmann::json& current, const std::string& ns, const std::string& name,
                            const Material& material);

}  // namespace ambassador::certs
