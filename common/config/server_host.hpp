// Recognises where a server may be, when it is not the document that says so. Pure.
#pragma once

#include <string_view>

namespace ambassador::config {

/// A DNS name or an IP literal, as a backend's host may be; no path of a Unix socket.
bool is_server_host(std::string_view text);

}  // namespace ambassador::config
