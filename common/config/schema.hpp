// The JSON Schema (draft 2020-12) of the proxy-configuration document, made from the same description of the
// fields (fields.hpp) that the parser and the printer walk. `ambassador-proxy schema` prints it. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ambassador::config {

/// What a schema can say of the document: types, ranges, patterns, enums, required fields, no unknown fields,
/// defaults and descriptions. What it can't say (equal ports or names, a listener without port and socket)
/// only parse() refuses.
nlohmann::ordered_json schema();

}  // namespace ambassador::config
