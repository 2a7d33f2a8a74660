// Writes the proxy-configuration document: compact JSON in one canonical form, so that two documents are
// equal exactly when their texts are. Used by the operator for the annotation and by the proxy for /config.
// Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/config/document.hpp"

namespace ambassador::config {

/// Keys in the order of document.hpp, no white space; fields at their defaults are left out (but for
/// `version`), so that a build that knows more fields prints, and hashes, an older document alike.
/// parse(print(d)) gives d for every d that parse() accepts.
std::string print(const Document& document);

/// The same as a value, for tools that print it indented or as part of something else.
nlohmann::ordered_json to_json(const Document& document);

/// SHA-256 of print(document), 64 hexadecimal digits: says which configuration a proxy runs.
std::string content_hash(const Document& document);

/// SHA-256 of any bytes, 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace ambassador::config
