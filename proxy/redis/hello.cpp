// HELLO, as Redis 7.0's helloCommand without a password: from here on the client's replies are in the version
// of RESP that it asked for, those that are made here as those of servers (its lanes are of that kind).
#include "proxy/redis/command_table.hpp"
#include "proxy/redis/local.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {

void answer_hello(const RequestParser& request, ClientInfo& client, std::string& out) {
  Resp resp = client.resp;
  if (request.count() > 1) {
    const auto version = whole_number(request.arg(1));
    if (!version) return append_error(out, "ERR Protocol version is not an integer or out of range");
    if (*version != 2 && *version != 3) return append_error(out, "NOPROTO unsupported protocol version");
    resp = *version == 3 ? Resp::three : Resp::two;
  }
  std::string_view user = "default";
  std::size_t name_at = 0;  // position of SETNAME's argument
  for (std::size_t i = 2; i < request.count(); ++i) {
    const std::size_t more = request.count() - 1 - i;
    if (same_word(request.arg(i), "auth") && more >= 2) {
      user = request.arg(i + 1);
      i += 2;
    } else if (same_word(request.arg(i), "setname") && more >= 1) {
      name_at = ++i;
    } else {
      const std::string option(request.arg(i).substr(0, 128));
      return append_error(out, "ERR Syntax error in HELLO option '" + option + "'");
    }
  }
  if (user != "default") {
    return append_error(out, "WRONGPASS invalid username-password pair or user is disabled.");
  }
  if (name_at != 0 && !set_client_name(request.arg(name_at), client, out)) return;

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
