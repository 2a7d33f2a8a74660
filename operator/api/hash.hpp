// Content hashes: what decides whether two specs (or two configurations) are the same. Not for security.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace ambassador::api {

/// 64-bit FNV-1a as 16 hexadecimal digits.
std::string content_hash(std::string_view bytes);

/// The hash of a JSON value, independent of the order of its keys.
std::string content_hash(const nlohmann::json& value);

}  // namespace ambassador::api
