// Recognises what the document takes for a host or a name, where it is not the document that says it: a
// policy, a Sentinel. Pure.
#pragma once

#include <string_view>

namespace ambassador::config {

/// A DNS name or an IP literal, as a backend's host may be; no path of a Unix socket.
bool is_server_host(std::string_view text);
/// As Redis Sentinels may call a master: letters, digits, '.', '-' and '_', 1 to 253.
bool is_master_name(std::string_view text);

}  // namespace ambassador::config
