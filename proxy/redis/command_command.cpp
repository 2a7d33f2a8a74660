// COMMAND: the commands that can be used here, as Redis describes them. Tools and cluster clients ask.
#include <algorithm>

#include "proxy/redis/command_resp3.hpp"
#include "proxy/redis/command_table.hpp"
#include "proxy/redis/local.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {
namespace {

// More names than this are not looked up: a reply can be a hundred times as long as the request.
constexpr std::size_t kMaxNames = 1024;

bool offered(const Command& command) {
  return command.route != Route::refused;
}

std::size_t position(const Command& command) {
  return static_cast<std::size_t>(&command - kCommands.data());
}

void append_info(std::size_t at, Resp resp, std::string& out) {
  if (resp == Resp::three) return append_info_resp3(kCommandInfo[at], out);
  out += kCommandInfo[at];
}

void append_docs(std::size_t at, Resp resp, std::string& out) {
  if (resp == Resp::three) return append_docs_resp3(kCommandDocs[at], out);
  out += kCommandDocs[at];
}

}  // namespace

void answer_command(Local command, const RequestParser& request, const ClientInfo& client, std::string& out) {
  const auto count = static_cast<std::size_t>(std::ranges::count_if(kCommands, offered));
  const bool all = request.count() <= 2;
  if (request.count() > kMaxNames) return append_error(out, "ERR too many command names");
  switch (command) {
    case Local::command_count:
      append_integer(out, static_cast<std::int64_t>(count));
      break;
    case Local::command_list:
      if (!all) return append_error(out, "ERR COMMAND LIST FILTERBY is not supported by the ambassador");
      append_array(out, count);
      for (const Command& c : kCommands) {
        if (offered(c)) append_bulk(out, c.name);
      }
      break;
    case Local::command_docs: {
      if (all) {
        append_map(out, count, client.resp);
        for (std::size_t i = 0; i < kCommands.size(); ++i) {
          if (offered(kCommands[i])) append_docs(i, client.resp, out);
        }
        break;
      }
      std::string docs;
      std::size_t found = 0;
      for (std::size_t i = 2; i < request.count(); ++i) {
        const Command* c = find_command(request.arg(i));
        if (c == nullptr || !offered(*c)) continue;
        append_docs(position(*c), client.resp, docs);
        ++found;
      }
      append_map(out, found, client.resp);
      out += docs;
      break;
    }
    default:  // command, command_info
      if (all) {
        append_array(out, count);
        for (std::size_t i = 0; i < kCommands.size(); ++i) {
          if (offered(kCommands[i])) append_info(i, client.resp, out);
        }
        break;
      }
      append_array(out, request.count() - 2);
      for (std::size_t i = 2; i < request.count(); ++i) {
        const Command* c = find_command(request.arg(i));
        if (c == nullptr || !offered(*c)) {
          append_null(out, client.resp);
        } else {
          append_info(position(*c), client.resp, out);
        }
      }
      break;
  }
}

}  // namespace ambassador::proxy::redis
