// What a Redis client told about itself, and what the proxy tells about itself. Plain data, used by the
// commands that are answered here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/redis/lane_kind.hpp"

namespace ambassador::proxy::redis {

/// Who need not be named.
inline constexpr std::string_view kDefaultUser = "default";

struct ClientInfo {
  std::uint64_t id = 0;         // CLIENT ID: unique among the clients of one core
  std::string name;             // CLIENT SETNAME
  std::string library;          // CLIENT SETINFO LIB-NAME
  std::string library_version;  // CLIENT SETINFO LIB-VER
  Resp resp = Resp::two;        // HELLO
  std::uint16_t database = 0;   // SELECT
  bool logged_in = true;        // AUTH, or nobody has to (client_auth.hpp)
  std::string user{kDefaultUser};
};

struct ProxyInfo {
  std::string listener;
  std::string mode;  // "sharded", "failover", "spread"
  std::size_t backends = 0;
};

}  // namespace ambassador::proxy::redis
