#include "proxy/redis/router.hpp"

#include <algorithm>
#include <utility>

#include "proxy/redis/failure.hpp"
#include "proxy/redis/number.hpp"

namespace ambassador::proxy::redis {
namespace {

// A home in mode Cluster: the slot, and whether a replica may answer.
constexpr std::uint16_t kMayRead = kSlots;

std::uint16_t slot_at(Home home) {
  return static_cast<std::uint16_t>(home) % kSlots;
}
bool may_read(Home home) {
  return home != Home::anywhere && (static_cast<std::uint16_t>(home) & kMayRead) != 0;
}

}  // namespace

Router::Router(const config::Listener& listener, const Availability& availability, NobodyFunction nobody)
    : availability_(availability),
      nobody_(std::move(nobody)),
      config_(listener.redis),
      servers_(ring_servers(listener.backends)),
      ring_(config_.mode == config::RedisMode::cluster
                ? Ring()
                : Ring(servers_, listener.redis.hash, listener.redis.distribution, listener.redis.hash_tag)) {
  for (const config::Backend& backend : listener.backends) {
    names_.push_back(backend.name);
    places_.emplace_back(backend.host, backend.port);
  }
  clustered_ = config_.mode == config::RedisMode::cluster;
  whole_ = !clustered_ && (config_.mode != config::RedisMode::sharded || names_.size() == 1);
  ejects_ = config_.mode == config::RedisMode::sharded && config_.ejection && names_.size() > 1;
  if (ejects_) live_.assign(names_.size(), true);
  // One server that was named is the only one; of those that are found there may be others in a moment.
  replicated_ = config_.follows_primary() && (listener.finds_servers() || names_.size() > 1);
  replicas_read_ = (replicated_ || clustered_) && config_.read_preference != config::ReadPreference::primary;
  if (clustered_) {
    slots_ = SlotMap(config_.slots);
    for (const ClusterShard& shard : slots_.shards()) {
      holders_.push_back({.backend = shard.primary, .home = static_cast<Home>(shard.first)});
    }
  } else {
    for (BackendIndex i = 0; i < names_.size(); ++i) holders_.push_back({.backend = i});
  }
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

std::string Router::nobody() const {
  std::string text;
  if (names_.empty() && nobody_) text = nobody_();
  return text.empty() ? failure_text(Failure::no_backend, {}) : text;
}

Home Router::home_of(std::string_view key, bool reads) const {
  if (clustered_) return static_cast<Home>(slot_of(key) | (reads && replicas_read_ ? kMayRead : 0));
  const bool at_random = config_.distribution == config::Distribution::random;
  const std::uint32_t server = ring_.locate(key, at_random ? random() : 0);
  return server == Ring::kNone ? Home::anywhere : static_cast<Home>(server);
}

BackendIndex Router::backend_at(Home home, std::uint64_t client) const {
  if (home == Home::anywhere) return kNoBackend;
  if (!clustered_) return static_cast<BackendIndex>(home);
  const ClusterShard* shard = slots_.shard_of(slot_at(home));
  if (shard == nullptr) return kNoBackend;
  return may_read(home) ? for_reading_at(*shard, client) : shard->primary;
}

bool Router::is_replica_at(Home home, BackendIndex backend) const {
  return clustered_ && may_read(home) && slots_.primary_of(slot_at(home)) != backend;
}

// Each client has a replica of its own, and the next one while that is away.
BackendIndex Router::for_reading_at(const ClusterShard& shard, std::uint64_t client) const {
  BackendIndex best = kNoBackend;
  for (std::size_t i = 0; i < shard.replicas.size(); ++i) {
    const BackendIndex replica = shard.replicas[(client + i) % shard.replicas.size()];
    if (!usable(replica)) continue;
    if (config_.read_preference != config::ReadPreference::nearest) return replica;
    if (best == kNoBackend || availability_.distance(replica) < availability_.distance(best)) best = replica;
  }
  if (config_.read_preference == config::ReadPreference::replica) return best;
  const bool primary_is_nearer = best != kNoBackend && usable(shard.primary) &&
                                 availability_.distance(shard.primary) < availability_.distance(best);
  return best == kNoBackend || primary_is_nearer ? shard.primary : best;
}

bool Router::pattern_stays(std::string_view pattern, Home home) const {
  if (clustered_) return true;
  const std::string_view tagged = tagged_part(pattern, config_.hash_tag);
  return tagged.size() < pattern.size() && tagged.find('*') == std::string_view::npos &&
         home_of(pattern) == home;
}

std::uint32_t Router::random() const {
  random_ ^= random_ << 13;  // xorshift32 (Marsaglia 2003)
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  return random_;
}

BackendIndex Router::for_any() const {
  for (const Holder& holder : holders_) {
    if (usable(holder.backend)) return holder.backend;
  }
  return holders_.empty() || ejects_ ? kNoBackend : holders_.front().backend;
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

bool Router::same_rules(const Router& other) const {
  return (clustered_ && other.clustered_) || (whole_ && other.whole_ && config_ == other.config_);
}

BackendIndex Router::find(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  return found != names_.end() ? static_cast<BackendIndex>(found - names_.begin()) : kNoBackend;
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

BackendIndex Router::elsewhere(BackendIndex backend, Home home, bool declined) const {
  if (clustered_) return elsewhere_in_cluster(backend, home, declined);
  if (config_.mode == config::RedisMode::sharded) return kNoBackend;
  if (replicated_ && !declined && follows(backend)) return kNoBackend;  // it is reached in a moment
  const BackendIndex other = for_client(kNoBackend);
  return other == backend ? kNoBackend : other;
}

// Who reads from a replica stays there as long as that will do; all else goes where the slot is now.
BackendIndex Router::elsewhere_in_cluster(BackendIndex backend, Home home, bool declined) const {
  const ClusterShard* shard = home != Home::anywhere ? slots_.shard_of(slot_at(home)) : nullptr;
  if (shard == nullptr) return kNoBackend;
  const bool reads = may_read(home);
  const bool follows = std::ranges::find(shard->replicas, backend) != shard->replicas.end();
  if (reads && follows && !declined && usable(backend)) return kNoBackend;
  BackendIndex now = backend_at(home);
  if (now == backend && declined && reads && config_.read_preference != config::ReadPreference::replica)
    now = shard->primary;
  return now == backend ? kNoBackend : now;
}

BackendIndex Router::named(BackendIndex from, std::string_view place) const {
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos || from >= places_.size()) return kNoBackend;
  const auto port = whole_number<std::uint16_t>(place.substr(colon + 1));
  const std::string_view host = colon == 0 ? std::string_view(places_[from].first) : place.substr(0, colon);
  const auto is_it = [&](const auto& one) { return one.first == host && one.second == port; };
  const auto found = std::ranges::find_if(places_, is_it);
  return found != places_.end() ? static_cast<BackendIndex>(found - places_.begin()) : kNoBackend;
}

}  // namespace ambassador::proxy::redis
