// What /status says, for a terminal: `ambassador-proxy status`. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ambassador::proxy::app {

/// Aligned tables: the program and its configuration, then each listener with its backends. `status` is
/// admin's status_json(); a field that is missing (an older proxy) shows as "-".
std::string status_table(const nlohmann::json& status);

}  // namespace ambassador::proxy::app
