// The commands that the proxy answers itself: what concerns the connection (which is to the proxy, not to a
// server) and what describes the service. Replies and error texts are those of Redis 7.0. Used by the
// session. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/redis/client_auth.hpp"
#include "proxy/redis/client_info.hpp"
#include "proxy/redis/command.hpp"
#include "proxy/redis/request_parser.hpp"

namespace ambassador::proxy::redis {

/// Appends the reply to `request`, a complete one of `command` with the right number of arguments, to `out`;
/// remembers in `client` what it says. True: the connection is to be closed after it (QUIT).
bool answer_locally(const Command& command, const RequestParser& request, ClientInfo& client,
                    const ProxyInfo& proxy, const ClientAuth& auth, std::string& out);

// The parts, in files of their own. -------------------------------------------------------------------------
/// HELLO [2 | 3 [AUTH user password] [SETNAME name]].
void answer_hello(const RequestParser& request, ClientInfo& client, const ClientAuth& auth, std::string& out);
/// CLIENT <subcommand>.
void answer_client(Local command, const RequestParser& request, ClientInfo& client, std::string& out);
/// COMMAND [COUNT | DOCS | INFO | LIST]: of the commands that are not refused here.
void answer_command(Local command, const RequestParser& request, const ClientInfo& client, std::string& out);
/// INFO [section ...].
void answer_info(const RequestParser& request, const ClientInfo& client, const ProxyInfo& proxy,
                 std::string& out);

/// Sets the client's name as CLIENT SETNAME and HELLO ... SETNAME do; false: an error was appended to `out`.
bool set_client_name(std::string_view name, ClientInfo& client, std::string& out);

}  // namespace ambassador::proxy::redis
