#include "proxy/redis/local.hpp"

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {
namespace {

void answer_ping(const RequestParser& request, std::string& out) {
  if (request.count() > 2) return append_error(out, "ERR wrong number of arguments for 'ping' command");
  if (request.count() == 1) return append_simple(out, "PONG");
  append_bulk(out, request.arg(1));
}

void answer_auth(const RequestParser& request, ClientInfo& client, const ClientAuth& auth, std::string& out) {
  if (request.count() > 3) return append_error(out, "ERR syntax error");
  const std::size_t password_at = request.count() - 1;
  std::optional<std::string_view> user;
  if (password_at == 2) user = request.arg(1);
  if (auth.log_in(user, request.arg(password_at), client, out)) append_simple(out, "OK");
}

}  // namespace

bool answer_locally(const Command& command, const RequestParser& request, ClientInfo& client,
                    const ProxyInfo& proxy, const ClientAuth& auth, std::string& out) {
  switch (command.local) {
    case Local::ping:
      answer_ping(request, out);
      break;
    case Local::echo:
      append_bulk(out, request.arg(1));
      break;
    case Local::quit:
      append_simple(out, "OK");
      return true;
    case Local::reset:
      client.name.clear();
      client.resp = Resp::two;
      auth.log_out(client);
      append_simple(out, "RESET");
      break;
    case Local::auth:
      answer_auth(request, client, auth, out);
      break;
    case Local::hello:
      answer_hello(request, client, auth, out);
      break;
    case Local::info:
      answer_info(request, client, proxy, out);
      break;
    case Local::cluster_disabled:
      append_error(out, "ERR This instance has cluster support disabled");
      break;
    case Local::client_getname:
    case Local::client_id:
    case Local::client_info:
    case Local::client_list:
    case Local::client_no_evict:
    case Local::client_setinfo:
    case Local::client_setname:
      answer_client(command.local, request, client, out);
      break;
    case Local::command:
    case Local::command_count:
    case Local::command_docs:
    case Local::command_info:
    case Local::command_list:
      answer_command(command.local, request, client, out);
      break;
    case Local::select:  // a server knows whether there is the database
    case Local::none:
      append_error(out, "ERR unknown command");
      break;
  }
  return false;
}

}  // namespace ambassador::proxy::redis
