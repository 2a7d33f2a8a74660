// INFO: the proxy's own section, with the fields that client libraries look at when they connect.
#include <array>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/local.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {
namespace {

bool wanted(const RequestParser& request, std::string_view section) {
  if (request.count() == 1) return true;
  constexpr std::array<std::string_view, 3> kEverything{"default", "all", "everything"};
  for (std::size_t i = 1; i < request.count(); ++i) {
    if (same_word(request.arg(i), section)) return true;
    for (const std::string_view word : kEverything) {
      if (same_word(request.arg(i), word)) return true;
    }
  }
  return false;
}

}  // namespace

void answer_info(const RequestParser& request, const ClientInfo& client, const ProxyInfo& proxy,
                 std::string& out) {
  std::string text;
  const auto section = [&](std::string_view name, std::string_view title) {
    if (!wanted(request, name)) return false;
    if (!text.empty()) text += "\r\n";
    text += "# ";
    text += title;
    text += "\r\n";
    return true;
  };
  const auto field = [&](std::string_view name, std::string_view value) {
    text += name;
    text += ':';
    text += value;
    text += "\r\n";
  };
  if (section("server", "Server")) {
    field("redis_version", kRedisVersion);
    field("redis_mode", "standalone");
    field("os", "Linux");
    field("arch_bits", "64");
  }
  if (section("replication", "Replication")) {
    field("role", "master");
    field("connected_slaves", "0");
  }
  if (section("cluster", "Cluster")) field("cluster_enabled", "0");
  if (section("ambassador", "Ambassador")) {
    field("ambassador_listener", proxy.listener);
    field("ambassador_mode", proxy.mode);
    field("ambassador_backends", std::to_string(proxy.backends));
    field("ambassador_client_id", std::to_string(client.id));
  }
  append_text(out, text, client.resp);
}

}  // namespace ambassador::proxy::redis
