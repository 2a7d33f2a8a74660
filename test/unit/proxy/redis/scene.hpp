// What the session tests share: listeners, requests, keys that lie on a chosen shard, small servers.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "proxy/redis/core.hpp"
#include "proxy/redis/ring.hpp"
#include "toy_relay.hpp"

namespace ambassador::proxy::test {

inline config::Listener listener(std::size_t backends, config::RedisMode mode = config::RedisMode::sharded) {
  config::Listener listener;
  listener.name = "cache.main";
  listener.protocol = config::Protocol::redis;
  for (std::size_t i = 0; i < backends; ++i) {
    const std::string host = "redis-" + std::to_string(i);
    listener.backends.push_back({host + ":1", host, 1, 1});
  }
  listener.redis.mode = mode;
  listener.redis.hash_tag = "{}";
  return listener;
}

inline std::string request(const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return text;
}

/// A key that the listener's ring puts on `shard`; `which` gives different ones.
inline std::string key_on(const config::Listener& listener, std::uint32_t shard, int which = 0) {
  const redis::Ring ring(redis::ring_servers(listener.backends), listener.redis.hash,
                         listener.redis.distribution, listener.redis.hash_tag);
  for (int i = 0;; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (ring.locate(key) == shard && which-- == 0) return key;
  }
}

/// A request from a line of words, in which a0, b0, c0 are keys on shard 0, a1 and so on keys on shard 1.
inline std::vector<std::string> words(const config::Listener& listener, const std::string& line) {
  std::vector<std::string> out;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) {
    const bool key = word.size() == 2 && word[0] >= 'a' && word[0] <= 'c' && word[1] >= '0' && word[1] <= '3';
    out.push_back(key ? key_on(listener, static_cast<std::uint32_t>(word[1] - '0'), word[0] - 'a') : word);
  }
  return out;
}

/// One client of a core, with everything it needs.
struct Scene {
  /// `client_account`: as whom it has to log in; empty: it need not.
  explicit Scene(config::Listener l, AccountFunction client_account = {})
      : config(std::move(l)),
        availability(config.backends.size()),
        core(redis::make_core(config, availability, {}, std::move(client_account))),
        relay(*core, std::max<std::size_t>(config.backends.size(), 1)) {}

  /// Sends a line of words (see words()) as a request.
  void send(const std::string& line) { relay.receive(request(words(config, line))); }
  std::string encoded(const std::string& line) const { return request(words(config, line)); }
  /// What the client has been sent since the last call.
  std::string answer() { return std::exchange(relay.out, {}); }
  /// The verdicts since the last call, without the final need_more.
  std::vector<std::string> verdicts() {
    auto list = std::exchange(relay.verdicts, {});
    if (!list.empty() && list.back() == "need_more") list.pop_back();
    return list;
  }

  config::Listener config;
  ToldAvailability availability;
  std::shared_ptr<const ProtocolCore> core;
  ToyRelay relay;
};

}  // namespace ambassador::proxy::test
