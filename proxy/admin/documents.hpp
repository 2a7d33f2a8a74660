// Snapshots as JSON: what /status, /backends, /clients, /top, /slowlog, /hotkeys and /bigkeys answer and what
// `ambassador-proxy status`, `slowlog`, `hotkeys` and `bigkeys` print. Pure: values in, JSON out. Times are
// RFC 3339 in UTC, durations seconds (names end in Seconds), sizes bytes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "proxy/admin/view.hpp"

namespace ambassador::proxy::admin {

/// Everything: program, configuration, listeners with their backends.
nlohmann::ordered_json status_json(const View& view, net::SystemTime now);
/// One entry per backend of each listener, in their order.
nlohmann::ordered_json backends_json(const net::Snapshot& snapshot);
nlohmann::ordered_json clients_json(const std::vector<net::ClientSnapshot>& clients);
/// The clients with the most bytes moved first.
nlohmann::ordered_json top_json(std::vector<net::ClientSnapshot> clients);
/// In their order. Bytes of a key that are no UTF-8 become U+FFFD when it is printed.
nlohmann::ordered_json slow_log_json(const std::vector<net::SlowRequest>& requests);
/// One entry per listener, with how its figures came about, and its keys; likewise.
nlohmann::ordered_json hot_keys_json(const std::vector<net::AskedKeys>& listeners);
/// In their order; likewise.
nlohmann::ordered_json big_keys_json(const std::vector<net::BigKey>& keys);

}  // namespace ambassador::proxy::admin
