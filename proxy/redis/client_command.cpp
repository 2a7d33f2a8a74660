// CLIENT: what a client says and asks about its own connection, which ends here.
#include <algorithm>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/local.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {
namespace {

// What Redis lets stand in names, since CLIENT LIST is separated by blanks and lines.
bool plain(std::string_view text) {
  return text.size() <= kMaxClientName &&
         std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

void set_info(const RequestParser& request, ClientInfo& client, std::string& out) {
  const bool library = same_word(request.arg(2), "lib-name");
  if (!library && !same_word(request.arg(2), "lib-ver")) {
    return append_error(out, "ERR Unrecognized option '" + std::string(request.arg(2).substr(0, 128)) + "'");
  }
  if (!plain(request.arg(3))) {
    return append_error(out, std::string("ERR ") + (library ? "lib-name" : "lib-ver") +
                                 " cannot contain spaces, newlines or special characters.");
  }
  (library ? client.library : client.library_version) = request.arg(3);
  append_simple(out, "OK");
}

std::string description(const ClientInfo& client) {
  return "id=" + std::to_string(client.id) + " name=" + client.name +
         " db=" + std::to_string(client.database) +
         " sub=0 psub=0 multi=-1 resp=" + std::to_string(static_cast<int>(client.resp)) +
         " user=" + (plain(client.user) ? client.user : "?") + " lib-name=" + client.library +
         " lib-ver=" + client.library_version + "\n";
}

}  // namespace

bool set_client_name(std::string_view name, ClientInfo& client, std::string& out) {
  if (!plain(name)) {
    append_error(out, "ERR Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  client.name = name;
  return true;
}

void answer_client(Local command, const RequestParser& request, ClientInfo& client, std::string& out) {
  switch (command) {
    case Local::client_getname:
      if (client.name.empty()) {
        append_null(out, client.resp);
      } else {
        append_bulk(out, client.name);
      }
      break;
    case Local::client_id:
      append_integer(out, static_cast<std::int64_t>(client.id));
      break;
    case Local::client_info:
    case Local::client_list:  // of itself only: the others are the proxy's business (ambassador-proxy status)
      append_text(out, description(client), client.resp);
      break;
    case Local::client_no_evict:
      if (same_word(request.arg(2), "on") || same_word(request.arg(2), "off")) {
        append_simple(out, "OK");
      } else {
        append_error(out, "ERR syntax error");
      }
      break;
    case Local::client_setinfo:
      set_info(request, client, out);
      break;
    default:  // client_setname
      if (set_client_name(request.arg(2), client, out)) append_simple(out, "OK");
      break;
  }
}

}  // namespace ambassador::proxy::redis
