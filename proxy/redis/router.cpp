#include "proxy/redis/router.hpp"

#include <algorithm>
#include <utility>

#include "proxy/redis/failure.hpp"

namespace ambassador::proxy::redis {

Router::Router(const config::Listener& listener, const Availability& availability, NobodyFunction nobody)
    : availability_(availability),
      nobody_(std::move(nobody)),
      config_(listener.redis),
      servers_(ring_servers(listener.backends)),
      ring_(servers_, listener.redis.hash, listener.redis.distribution, listener.redis.hash_tag) {
  for (const config::Backend& backend : listener.backends) names_.push_back(backend.name);
  whole_ = config_.mode != config::RedisMode::sharded || names_.size() == 1;
  ejects_ = config_.mode == config::RedisMode::sharded && config_.ejection && names_.size() > 1;
  if (ejects_) live_.assign(names_.size(), true);
  // One server that was named is the only one; of those that are found there may be others in a moment.
  replicated_ = config_.follows_primary() && (listener.finds_servers() || names_.size() > 1);
  replicas_read_ = replicated_ && config_.read_preference != config::ReadPreference::primary;
}

void Router::rebuild_ring() const {
  bool same = true;
  for (BackendIndex i = 0; i < live_.size(); ++i) {
    const bool live = availability_.usable(i);
    same = same && live_[i] == live;
    live_[i] = live;
  }
  if (same) return;
  ring_ = Ring(servers_, config_.hash, config_.distribution, config_.hash_tag, live_);
  ++moves_;
}

bool Router::meets() const {
  if (names_.size() < 2) return true;
  if (whole_) return config_.mode != config::RedisMode::spread;
  return config_.distribution != config::Distribution::random;
}

bool Router::same_places(const Router& other) const {
  return names_ == other.names_ && servers_ == other.servers_ && config_ == other.config_;
}

bool Router::same_rules(const Router& other) const {
  return whole_ && other.whole_ && config_ == other.config_;
}

BackendIndex Router::find(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  return found != names_.end() ? static_cast<BackendIndex>(found - names_.begin()) : kNoBackend;
}

std::string Router::nobody() const {
  std::string text;
  if (names_.empty() && nobody_) text = nobody_();
  return text.empty() ? failure_text(Failure::no_backend, {}) : text;
}

BackendIndex Router::for_key(std::string_view key) const {
  const bool at_random = config_.distribution == config::Distribution::random;
  const std::uint32_t server = ring_.locate(key, at_random ? random() : 0);
  return server == Ring::kNone ? kNoBackend : server;
}

bool Router::pattern_stays(std::string_view pattern, BackendIndex backend) const {
  const std::string_view tagged = tagged_part(pattern, config_.hash_tag);
  return tagged.size() < pattern.size() && tagged.find('*') == std::string_view::npos &&
         for_key(pattern) == backend;
}

std::uint32_t Router::random() const {
  random_ ^= random_ << 13;  // xorshift32 (Marsaglia 2003)
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  return random_;
}

BackendIndex Router::for_any() const {
  for (BackendIndex i = 0; i < names_.size(); ++i) {
    if (usable(i)) return i;
  }
  return names_.empty() || ejects_ ? kNoBackend : 0;
}

template <class Fits>
BackendIndex Router::next_of(Fits fits) const {
  for (std::size_t tried = 0; tried < names_.size(); ++tried) {
    const BackendIndex backend = turn_ = (turn_ + 1) % backends();
    if (fits(backend)) return backend;
  }
  return kNoBackend;
}

BackendIndex Router::for_client(BackendIndex current) const {
  if (names_.empty()) return kNoBackend;
  if (replicated_) return availability_.primary();
  if (names_.size() == 1) return 0;
  if (config_.mode == config::RedisMode::failover) return availability_.preferred();
  const auto is_usable = [&](BackendIndex backend) { return usable(backend); };
  return current < names_.size() && usable(current) ? current : next_of(is_usable);
}

BackendIndex Router::for_reading(BackendIndex current) const {
  const config::ReadPreference preference = config_.read_preference;
  if (preference == config::ReadPreference::nearest) return nearest(current);
  if (current < names_.size() && follows(current)) return current;
  const BackendIndex replica = next_of([&](BackendIndex backend) { return follows(backend); });
  if (replica != kNoBackend || preference == config::ReadPreference::replica) return replica;
  return availability_.primary();
}

// Another one only when it is nearer by a fifth, so that two of about the same distance do not take turns.
BackendIndex Router::nearest(BackendIndex current) const {
  const BackendIndex primary = availability_.primary();
  const auto will_do = [&](BackendIndex backend) { return backend == primary || follows(backend); };
  const auto distance = [&](BackendIndex backend) {
    const auto measured = availability_.distance(backend);
    return backend == current ? measured * 4 / 5 : measured;
  };
  BackendIndex best = kNoBackend;
  for (BackendIndex i = 0; i < names_.size(); ++i) {
    if (will_do(i) && (best == kNoBackend || distance(i) < distance(best))) best = i;
  }
  return best;
}

BackendIndex Router::elsewhere(BackendIndex backend, bool declined) const {
  if (config_.mode == config::RedisMode::sharded) return kNoBackend;
  if (replicated_ && !declined && follows(backend)) return kNoBackend;  // it is reached in a moment
  const BackendIndex other = for_client(kNoBackend);
  return other == backend ? kNoBackend : other;
}

}  // namespace ambassador::proxy::redis
