#include "proxy/redis/probe.hpp"

#include <cstdint>
#include <optional>

#include "proxy/redis/info_field.hpp"
#include "proxy/redis/number.hpp"
#include "proxy/redis/reply_framer.hpp"

namespace ambassador::proxy::redis {
namespace {

using Health = ProtocolCore::Health;

constexpr std::size_t kMaxReply = 1024;  // of a line; Redis' longest error is half of that

std::uint64_t position(std::string_view offset) {
  const auto number = whole_number<std::uint64_t>(offset);
  return number ? *number + 1 : 0;
}

}  // namespace

Health judge_probe(std::string_view reply) {
  const std::size_t end = reply.find("\r\n");
  if (end == std::string_view::npos) return reply.size() > kMaxReply ? Health::unhealthy : Health::need_more;
  const std::string_view line = reply.substr(0, end);
  const bool healthy = line == "+PONG" || line.starts_with("-NOAUTH") || line.starts_with("-NOPERM");
  return healthy ? Health::healthy : Health::unhealthy;
}

Health judge_role_probe(std::string_view reply) {
  if (reply.empty()) return Health::need_more;
  if (reply.front() != '$' && reply.front() != '=') return Health::unhealthy;
  if (reply_size(reply) == 0) return Health::need_more;
  return read_standing(reply).role != Role::any ? Health::healthy : Health::unhealthy;
}

Health judge_node_probe(std::string_view reply) {
  const Health health = judge_role_probe(reply);
  if (health != Health::healthy) return health;
  const Standing standing = read_standing(reply);
  return standing.role == Role::primary || standing.position != 0 ? Health::healthy : Health::unhealthy;
}

Standing read_standing(std::string_view reply) {
  const std::string_view role = info_field(reply, "role");
  if (role == "master") {
    return {.role = Role::primary,
            .term = whole_number<std::uint64_t>(info_field(reply, "second_repl_offset")).value_or(0),
            .position = position(info_field(reply, "master_repl_offset"))};
  }
  if (role != "slave") return {};
  const bool linked = info_field(reply, "master_link_status") == "up";
  return {.role = Role::replica,
          .term = 0,
          .position = linked ? position(info_field(reply, "slave_repl_offset")) : 0};
}

}  // namespace ambassador::proxy::redis
