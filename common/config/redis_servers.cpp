#include "common/config/redis_servers.hpp"

#include <charconv>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/config/ip_literal.hpp"
#include "common/config/parse.hpp"
#include "common/config/text_rule.hpp"

namespace ambassador::config {
namespace {

constexpr std::uint16_t kMemcachedPort = 11211;  // twemproxy leaves it out of ring names
constexpr std::string_view kSeparators = " \t\r\n,";

std::optional<unsigned> number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  return host;
}

/// What stands before and after the last colon.
std::optional<std::pair<std::string_view, std::string_view>> split_right(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

Error wrong(std::string_view server, const std::string& why) {
  return {"", "server '" + std::string(server.substr(0, 300)) + "': " + why +
                  "; give host:port:weight, as in redis-0:6379:1"};
}

/// A word that ends like a server: ":port:weight" or, of a path, ":weight".
bool looks_like_server(std::string_view word) {
  const auto outer = split_right(word);
  if (!outer || !number(outer->second, ~0U)) return false;
  if (word.front() == '/') return true;
  const auto inner = split_right(outer->first);
  return inner && number(inner->second, ~0U);
}

Result<Listener> listener_at(std::string_view listen) {
  Listener listener;
  listener.name = "redis";
  listener.protocol = Protocol::redis;
  const auto refused = [&](const char* why) {
    return Error{"REDIS_LISTEN", "'" + std::string(listen) + "' " + why +
                                     "; give address:port such as 127.0.0.1:6380, or a Unix socket's path"};
  };
  if (listen.empty()) {
    listener.port = kRedisListenPort;
    return listener;
  }
  if (listen.front() == '/') {
    if (listen.size() > kSocketPath.longest || !kSocketPath.accepts(listen))
      return refused("is no usable path");
    listener.unix_socket = listen;
    return listener;
  }
  const auto parts = split_right(listen);
  if (!parts) return refused("has no port from 1 to 65535");
  const auto port = number(parts->second, 65535).value_or(0);
  if (port == 0) return refused("has no port from 1 to 65535");
  listener.port = static_cast<std::uint16_t>(port);
  const auto host = without_brackets(parts->first);
  if (host == "localhost") return listener;
  if (host.empty() || host == "*") {
    listener.addresses = {"0.0.0.0"};
  } else if (is_ip_literal(host)) {
    listener.addresses = {std::string(host)};
  } else {
    return refused("does not begin with an IP address");
  }
  return listener;
}

}  // namespace

Result<RedisServer> parse_redis_server(std::string_view text) {
  const auto space = text.find_first_of(" \t");
  const std::string_view place = text.substr(0, space);
  std::string_view name;
  if (space != text.npos) {
    name = text.substr(space);
    name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
    if (name.empty() || !kBackendName.accepts(name)) return wrong(text, "has a name that is not one word");
  }
  const auto outer = split_right(place);
  if (!outer) return wrong(text, "has no weight");
  const bool is_path = place.front() == '/';
  const auto inner = is_path ? std::nullopt : split_right(outer->first);
  if (!is_path && !inner) return wrong(text, "has no port or no weight");
  const auto weight = number(outer->second, kMaxWeight);
  if (!weight || *weight == 0) {
    return wrong(text,
                 "the weight '" + std::string(outer->second) + "' is not 1 to " + std::to_string(kMaxWeight));
  }
  RedisServer server;
  server.backend.weight = *weight;
  server.given = name.empty() ? std::string(outer->first) : std::string(name);
  if (is_path) {
    if (!kHost.accepts(outer->first)) return wrong(text, "is no usable path");
    server.backend.host = outer->first;
    server.backend.name = name.empty() ? server.backend.host + ":" : server.given;
    return server;
  }
  const auto port = number(inner->second, 65535);
  if (!port || *port == 0)
    return wrong(text, "the port '" + std::string(inner->second) + "' is not 1 to 65535");
  const auto host = without_brackets(inner->first);
  if (!kHost.accepts(host))
    return wrong(text, "'" + std::string(host) + "' is neither a DNS name nor an IP address");
  server.backend.host = host;
  server.backend.port = static_cast<std::uint16_t>(*port);
  const std::string_view ring_name = *port == kMemcachedPort ? inner->first : outer->first;
  server.backend.name = name.empty() ? std::string(ring_name) : server.given;
  return server;
}

Result<Document> from_redis_servers(std::string_view servers, std::string_view listen) {
  auto listener = listener_at(listen);
  if (!listener) return listener.error();
  std::vector<std::string> texts;
  while (true) {
    servers.remove_prefix(std::min(servers.find_first_not_of(kSeparators), servers.size()));
    if (servers.empty()) break;
    const auto word = servers.substr(0, servers.find_first_of(kSeparators));
    servers.remove_prefix(word.size());
    if (looks_like_server(word) || texts.empty() || texts.back().find(' ') != std::string::npos) {
      texts.emplace_back(word);
    } else {
      texts.back() += " " + std::string(word);
    }
  }
  if (texts.empty())
    return Error{"REDIS_SERVERS", "names no server; give host:port:weight, as in redis-0:6379:1"};
  std::set<std::string> names;
  for (const std::string& text : texts) {
    auto server = parse_redis_server(text);
    if (!server) return Error{"REDIS_SERVERS", server.error().what};
    if (!names.insert(server->backend.name).second) {
      return Error{"REDIS_SERVERS",
                   "two servers are called '" + server->backend.name + "'; give one another name"};
    }
    if (listener->backends.size() == kMaxBackends)
      return Error{"REDIS_SERVERS", "names more than 1024 servers"};
    listener->backends.push_back(std::move(server->backend));
  }
  Document document;
  document.listeners.push_back(std::move(*listener));
  return document;
}

}  // namespace ambassador::config
