// The JSON merge patch (RFC 7396) that turns one document into another. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ambassador::controller {

/// Members that are gone become null, arrays are given whole, what is equal is left out; an empty object: no
/// change. `after` must hold no null members (a merge patch cannot say them).
nlohmann::json merge_diff(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace ambassador::controller
