// HELLO, as Redis 7.0's helloCommand: from here on the client's replies are in the version of RESP that it
// asked for, those that are made here as those of servers (its lanes are of that kind).
#include "proxy/redis/command_table.hpp"
#include "proxy/redis/local.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {

void answer_hello(const RequestParser& request, ClientInfo& client, const ClientAuth& auth,
                  std::string& out) {
  Resp resp = client.resp;
  if (request.count() > 1) {
    const auto version = whole_number(request.arg(1));
    if (!version) return append_error(out, "ERR Protocol version is not an integer or out of range");
    if (*version != 2 && *version != 3) return append_error(out, "NOPROTO unsupported protocol version");
    resp = *version == 3 ? Resp::three : Resp::two;
  }
  // One after the other: what comes before a wrong one counts.
  for (std::size_t i = 2; i < request.count(); ++i) {
    const std::size_t more = request.count() - 1 - i;
    if (same_word(request.arg(i), "auth") && more >= 2) {
      if (!auth.log_in(request.arg(i + 1), request.arg(i + 2), client, out)) return;
      i += 2;
    } else if (same_word(request.arg(i), "setname") && more >= 1) {
      if (!set_client_name(request.arg(++i), client, out)) return;
    } else {
      const std::string option(request.arg(i).substr(0, 128));
      return append_error(out, "ERR Syntax error in HELLO option '" + option + "'");
    }
  }
  if (!client.logged_in) {
    return append_error(
        out,
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the "
        "same time");
  }

  client.resp = resp;
  append_map(out, 7, resp);
  append_bulk(out, "server");
  append_bulk(out, "redis");
  append_bulk(out, "version");
  append_bulk(out, kRedisVersion);
  append_bulk(out, "proto");
  append_integer(out, static_cast<std::int64_t>(resp));
  append_bulk(out, "id");
  append_integer(out, static_cast<std::int64_t>(client.id));
  append_bulk(out, "mode");
  append_bulk(out, "standalone");
  append_bulk(out, "role");
  append_bulk(out, "master");
  append_bulk(out, "modules");
  append_array(out, 0);
}

}  // namespace ambassador::proxy::redis
