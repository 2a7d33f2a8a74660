// What COMMAND says of a command in RESP3: the texts of command_replies.cpp, which are RESP2, with their maps
// and sets called so. Used by command_command.cpp. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ambassador::proxy::redis {

/// Appends `info` (one of kCommandInfo) to `out` as RESP3.
void append_info_resp3(std::string_view info, std::string& out);
/// Likewise `docs`, one of kCommandDocs: a name, and what is said of it.
void append_docs_resp3(std::string_view docs, std::string& out);

}  // namespace ambassador::proxy::redis
