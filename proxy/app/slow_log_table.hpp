// What /slowlog says, for a terminal: `ambassador-proxy slowlog`. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ambassador::proxy::app {

/// One line per request, the newest first. `requests` is admin's slow_log_json().
std::string slow_log_table(const nlohmann::json& requests);

}  // namespace ambassador::proxy::app
