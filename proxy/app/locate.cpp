#include "proxy/app/locate.hpp"

#include <random>
#include <string_view>
#include <vector>

#include "common/config/redis_servers.hpp"
#include "proxy/redis/ring.hpp"

namespace ambassador::proxy::app {

Result<std::string> from_base64(const std::string& text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  std::size_t padding = 0;
  for (const char character : text) {
    const std::size_t digit = kDigits.find(character);
    if (character == '=') {
      ++padding;
      continue;
    }
    if (digit == std::string_view::npos || padding > 0) {
      return Error{"'" + text + "'", "is not base64"};
    }
    bits = (bits << 6U | static_cast<unsigned>(digit)) & 0xFFFFFFU;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 0xFFU);
    }
  }
  if (padding > 2 || held == 6) {
    return Error{"'" + text + "'", "is not base64"};
  }
  return out;
}

Result<void> locate(const Options& options, std::istream& in, std::ostream& out) {
  std::vector<std::string> given;
  std::vector<redis::RingServer> servers;
  for (const std::string& text : options.servers) {
    Result<config::RedisServer> server = config::parse_redis_server(text);
    if (!server) {
      return Error{"--server '" + text + "'", server.error().text()};
    }
    given.push_back(server->given);
    servers.push_back({server->backend.name, server->backend.weight});
  }
  const redis::Ring ring(servers, options.hash, options.distribution, options.hash_tag);
  std::mt19937 random{std::random_device{}()};
  std::string line;
  while (std::getline(in, line)) {
    std::string key = line;
    if (options.base64) {
      Result<std::string> decoded = from_base64(line);
      if (!decoded) {
        return decoded.error();
      }
      key = std::move(decoded).value();
    }
    out << given[ring.locate(key, static_cast<std::uint32_t>(random()))] << '\n';
  }
  return {};
}

}  // namespace ambassador::proxy::app
