// Whom a pool connects to, and when: for those who wait, the first backend that will do, with a pause after
// each failure that grows.
#include <algorithm>

#include "proxy/net/pool.hpp"
#include "proxy/net/pooled_client.hpp"
#include "proxy/net/pooled_relay.hpp"

namespace ambassador::proxy::net {

// Connections that are opening are for those who come first; more are opened for the rest.
void Pool::flush() {
  if (closing_ || paused()) return;
  const SteadyTime now = loop().now();
  std::vector<const ServerConnection*> opening;
  for (const auto& server : servers_) {
    if (server->opening() && !server->retired()) opening.push_back(server.get());
  }
  // Usually: all are lent.
  if (opening.empty() && idle_.empty() && servers_.size() >= most()) return;
  for (auto one = borrowers_.begin(); one != borrowers_.end();) {
    Borrower& borrower = *one++;
    ServerConnection* idle = borrower.alone ? nullptr : take_idle(borrower);
    if (idle != nullptr) {
      leave(borrower);
      lend(*idle, borrower);
      continue;
    }
    const auto taken = std::find_if(opening.begin(), opening.end(), [&](const ServerConnection* server) {
      return server->alone_for() == borrower.alone_for() && server->opened_for() == borrower.role &&
             server->key() == borrower.key &&
             (server->upstream()->role() != Role::replica || borrower.role != Role::replica ||
              reads_from(*server->upstream(), borrower, now));
    });
    if (taken != opening.end()) {
      opening.erase(taken);
      continue;
    }
    const BackendIndex backend = choose(borrower, now);
    if (backend == kNoBackend) continue;
    if (servers_.size() >= most() && !make_room()) return;
    open_for(borrower, backend);
  }
}

// What is idle fits nobody who waits: the one that was used longest ago goes.
bool Pool::make_room() {
  if (idle_.empty()) return false;
  idle_.front()->close_in_peace();
  return servers_.size() < most();
}

void Pool::open_for(const Borrower& borrower, BackendIndex backend) {
  const Errand errand{std::string(borrower.key), borrower.role, borrower.alone ? borrower.client : nullptr};
  auto server = std::make_unique<ServerConnection>(relay_, *this, relay_.generation(), backend, errand);
  servers_.add(std::move(server)).open();
}

Pool::Reach& Pool::reach(const std::shared_ptr<Upstream>& upstream) {
  for (Reach& known : reaches_) {
    if (known.upstream == upstream) return known;
  }
  return reaches_.emplace_back(Reach{upstream, 0, {}});
}

// From one that is no primary. How far behind it is is not known where nobody asks, or no primary is.
bool Pool::reads_from(const Upstream& upstream, const Borrower& borrower, SteadyTime now) const {
  const Generation& generation = *relay_.generation();
  const auto& upstreams = generation.upstreams;
  const auto lag = upstream.most_lag(now);
  if (lag ? *lag > generation.config.sql.max_lag
          : generation.watched && std::any_of(upstreams.begin(), upstreams.end(), [](const auto& other) {
              return other->role() == Role::primary;
            }))
    return false;
  if (borrower.wrote == SteadyTime::min() || upstream.has_until(borrower.wrote, now)) return true;
  upstream.want_news(now);
  return false;
}

bool Pool::no_replica_for(const Borrower& borrower, SteadyTime now) const {
  const auto& upstreams = relay_.generation()->upstreams;
  return std::none_of(upstreams.begin(), upstreams.end(), [&](const auto& upstream) {
    return upstream->usable(now) && upstream->role() != Role::primary && reads_from(*upstream, borrower, now);
  });
}

// In the configured order, among those that may be tried now. Looks past health when nothing else is left: a
// server that is back is known by this sooner than by probes.
BackendIndex Pool::choose(const Borrower& borrower, SteadyTime now) {
  const Role role = borrower.role;
  const auto& upstreams = relay_.generation()->upstreams;
  SteadyTime again = SteadyTime::max();
  BackendIndex best = kNoBackend;
  int best_worth = 0;
  for (BackendIndex i = 0; i < upstreams.size(); ++i) {
    const auto& upstream = upstreams[i];
    const Reach& known = reach(upstream);
    if (now < known.not_before) {
      again = std::min(again, known.not_before);
      continue;
    }
    if (finding_out(known)) continue;                                     // its end is told
    if (role != Role::any && superseded(upstreams, *upstream)) continue;  // so is a change
    if (role == Role::primary && upstream->known_replica(now)) {
      again = std::min(again, now + Upstream::kReplicaFor / 4);
      continue;
    }
    // It gets nearer, or the primary is reached.
    if (role == Role::replica && upstream->role() == Role::replica && !reads_from(*upstream, borrower, now)) {
      again = std::min(again, now + Upstream::kReplicaFor / 10);
      continue;
    }
    int worth = upstream->usable(now) ? 10 : 1;
    if (role == Role::replica) {
      if (upstream->role() == Role::replica) worth += 2;
      if (upstream->role() == Role::any) worth += 1;
    }
    const bool less_used = role == Role::replica && worth == best_worth &&
                           upstream->open_connections.load(std::memory_order_relaxed) <
                               upstreams[best]->open_connections.load(std::memory_order_relaxed);
    if (worth > best_worth || less_used) {
      best = i;
      best_worth = worth;
    }
  }
  if (best == kNoBackend && again != SteadyTime::max()) loop().deadlines().no_later_than(*this, again);
  return best;
}

void Pool::unreachable(ServerConnection& server, std::string_view why) {
  Reach& known = reach(server.upstream());
  const SteadyTime now = loop().now();
  if (now < known.not_before) return;  // one of several that failed together
  if (++known.failures == 1)
    relay_.say(config::LogLevel::warning, "a backend can't be reached", server.upstream().get(), why);
  known.not_before = now + pause_after(known.failures);
}

// After a failure one connection finds out whether it is over, whoever waits.
bool Pool::finding_out(const Reach& known) const {
  return known.failures > 0 && std::any_of(servers_.begin(), servers_.end(), [&](const auto& server) {
           return server->opening() && server->upstream() == known.upstream;
         });
}

void Pool::refused(ServerConnection& server, std::string_view text, bool passing, std::string_view why) {
  // By what was replaced meanwhile; another connection tries what is right now.
  if (server.retired()) return loop().flush_lane_later(*this);
  relay_.counters().pool.logins_failed.add();
  if (!text.empty() || !passing) remember(server.key(), text, passing);
  if (passing) {
    // Without a word of its own it is as good as unreachable, for everybody.
    if (text.empty()) server.upstream()->connect_failed(why, loop().now());
    return unreachable(server, why);
  }
  relay_.say(config::LogLevel::warning, "a backend refuses the login", server.upstream().get(), why);
  const std::string key = server.key();
  for (auto one = borrowers_.begin(); one != borrowers_.end();) {
    Borrower& borrower = *one++;
    if (borrower.key != key || (borrower.alone && borrower.client != server.alone_for())) continue;
    fail(borrower, Failure::unreachable, text);
  }
}

const Pool::Refusal* Pool::refusal(std::string_view key, SteadyTime now) const {
  for (const Refusal& known : refusals_) {
    if (known.key == key && now < known.until) return &known;
  }
  return nullptr;
}

void Pool::remember(std::string_view key, std::string_view text, bool passing) {
  const SteadyTime now = loop().now();
  std::erase_if(refusals_, [&](const Refusal& known) {
    return known.key == key || now - known.until >= relay_.timeouts().queue;
  });
  if (refusals_.size() >= kRefusalsMost) refusals_.erase(refusals_.begin());
  refusals_.push_back({std::string(key), std::string(text), passing, now + kRefusedFor});
}

}  // namespace ambassador::proxy::net
