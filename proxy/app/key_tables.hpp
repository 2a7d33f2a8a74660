// What /hotkeys and /bigkeys say, for a terminal: `ambassador-proxy hotkeys` and `bigkeys`. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ambassador::proxy::app {

/// Of each listener how its figures came about, and one line per key, the hottest first. `listeners` is
/// admin's hot_keys_json().
std::string hot_keys_table(const nlohmann::json& listeners);
/// One line per key, the largest first. `keys` is admin's big_keys_json().
std::string big_keys_table(const nlohmann::json& keys);

}  // namespace ambassador::proxy::app
