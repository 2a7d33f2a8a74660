#include "proxy/redis/probe.hpp"

namespace ambassador::proxy::redis {

ProtocolCore::Health judge_probe(std::string_view reply) {
  using Health = ProtocolCore::Health;
  constexpr std::size_t kMaxReply = 1024;  // of a line; Redis' longest error is half of that
  const std::size_t end = reply.find("\r\n");
  if (end == std::string_view::npos) return reply.size() > kMaxReply ? Health::unhealthy : Health::need_more;
  const std::string_view line = reply.substr(0, end);
  const bool healthy = line == "+PONG" || line.starts_with("-NOAUTH") || line.starts_with("-NOPERM");
  return healthy ? Health::healthy : Health::unhealthy;
}

}  // namespace ambassador::proxy::redis
