// Content hashes: what decides whether two specs (or two configurations) are the same. Not for security.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "operator/api/policy.hpp"

namespace ambassador::api {

/// The first 16 hexadecimal digits of SHA-256.
std::string content_hash(std::string_view bytes);

/// The hash of a JSON value, independent of the order of its keys.
std::string json_hash(const nlohmann::json& value);

/// The hash of what of a policy reaches Pods: environments, listeners, proxy. Fields at their defaults do not
/// count, so that a new version of the CRD with new defaults changes no hash.
std::string policy_hash(const Policy& policy);

}  // namespace ambassador::api
