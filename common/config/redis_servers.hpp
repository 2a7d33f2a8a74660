// The drop-in's configuration: REDIS_SERVERS as the twemproxy image takes it, turned into a Document with
// twemproxy's defaults, so that no key changes its server. Used by proxy/app (also for `locate`). Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/config/document.hpp"
#include "common/result/result.hpp"

namespace ambassador::config {

/// Where the drop-in listens when REDIS_LISTEN is not set: port 6380 on 127.0.0.1, and ::1 where it is there.
inline constexpr std::uint16_t kRedisListenPort = 6380;

/// One server as twemproxy's configuration spells it.
struct RedisServer {
  /// name = what stands on twemproxy's ring: the given name, else "host:port" ("host" with port 11211; with a
  /// Unix socket the path and a colon).
  Backend backend;
  /// As it was given, without its weight: the name, else "host:port" (or the socket's path).
  std::string given;
};

/// "host:port:weight[ name]" or "/path:weight[ name]", split from the right; "[::1]:6379:1" for IPv6. Weight
/// 1 to 1000.
Result<RedisServer> parse_redis_server(std::string_view text);

/// `servers`: such servers separated by white space or commas. A word that is not itself a server is the name
/// of the one before it. `listen`: "host:port", ":port" (every IPv4 address, as twemproxy), "[::1]:6380", or
/// the absolute path of a Unix socket; empty = the default. Hash fnv1a_64, distribution ketama, no hash tag,
/// no ejection.
Result<Document> from_redis_servers(std::string_view servers, std::string_view listen);

}  // namespace ambassador::config
