#include "proxy/net/pool.hpp"

#include <algorithm>
#include <cassert>

#include "proxy/net/pooled_client.hpp"
#include "proxy/net/pooled_relay.hpp"

namespace ambassador::proxy::net {

Pool::Pool(PooledRelay& relay) : relay_(relay), swept_(relay.loop().now()) {}

Pool::~Pool() {
  assert(servers_.empty() && borrowers_.empty());
}

Loop& Pool::loop() const {
  return relay_.loop();
}

unsigned Pool::most() const {
  return relay_.generation()->server_connections;
}

// Lending ---------------------------------------------------------------------------------------------------

void Pool::borrow(PooledClient& client) {
  const PooledSession::Want want = client.want();
  const SteadyTime now = loop().now();
  const SteadyTime wrote = want.causal ? client.wrote_at() : SteadyTime::min();
  const SteadyTime until = now + relay_.timeouts().queue;
  Borrower& borrower = client.borrower;
  borrower = {{}, &client, want.key, want.role, want.alone, now, until, wrote};
  // While it is paused there is none.
  ServerConnection* idle = want.alone ? nullptr : take_idle(borrower);
  if (idle != nullptr) return lend(*idle, borrower);
  if (const Refusal* known = refusal(want.key, now); known != nullptr && !known->passing) {
    relay_.counters().failures.add(Failure::unreachable);
    return client.not_lent(Failure::unreachable, known->text);
  }
  borrowers_.push_back(borrower);
  relay_.counters().pool.waiting.add();
  loop().deadlines().no_later_than(*this, until);
  loop().flush_lane_later(*this);
}

// The one that was used last: the others may become idle for long enough to go.
ServerConnection* Pool::take_idle(const Borrower& borrower) {
  for (std::size_t i = idle_.size(); i-- > 0;) {
    ServerConnection* const server = idle_[i];
    if (!fits(*server, borrower)) continue;
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    relay_.counters().pool.idle.subtract();
    return server;
  }
  return nullptr;
}

void Pool::forget(PooledClient& client) {
  for (auto& server : servers_) {
    if (server->alone_for() == &client && server->state() != ServerConnection::State::lent)
      return leave(client.borrower), server->close();
  }
  leave(client.borrower);
}

void Pool::leave(Borrower& borrower) {
  borrowers_.erase(borrowers_.iterator_to(borrower));
  relay_.counters().pool.waiting.subtract();
}

bool Pool::fits(const ServerConnection& server, const Borrower& borrower) const {
  if (server.alone_for() != borrower.alone_for() || server.key() != borrower.key) return false;
  if (borrower.role == Role::any) return true;
  const bool is_current = !superseded(relay_.generation()->upstreams, *server.upstream());
  if (borrower.role == Role::primary) return server.role() != Role::replica && is_current;
  const SteadyTime now = loop().now();
  if (server.role() != Role::primary) return reads_from(*server.upstream(), borrower, now);
  return is_current && no_replica_for(borrower, now);
}

void Pool::lend(ServerConnection& server, const Borrower& borrower) {
  server.lend(*borrower.client, borrower.role);
  relay_.counters().pool.wait_time.record(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(loop().now() - borrower.since).count()));
  borrower.client->lent(server);
}

// To whom it fits among those who wait; false: to nobody.
bool Pool::serve(ServerConnection& server) {
  const SteadyTime now = loop().now();
  for (Borrower& one : borrowers_) {
    if (fits(server, one)) {
      leave(one);
      lend(server, one);
      return true;
    }
    // Those behind have what they need passing by all the time: he would never get his.
    if (now - one.since >= kPatience && servers_.size() >= most() && idle_.empty()) return false;
  }
  return false;
}

void Pool::ready(ServerConnection& server) {
  Reach& reached = reach(server.upstream());
  if (reached.failures > 0)
    relay_.say(config::LogLevel::info, "a backend is reached again", server.upstream().get(), {});
  reached = {server.upstream(), 0, {}};
  if (!borrowers_.empty()) loop().flush_lane_later(*this);
  if (server.outlived(loop().now()) || too_many() || paused()) return server.close_in_peace();
  if (serve(server)) return;
  // To be asked again soon, by a new connection: this one would only be in the way.
  if (server.opened_for() == Role::primary && server.role() == Role::replica) return server.close_in_peace();
  idle_.push_back(&server);
  relay_.counters().pool.idle.add();
  loop().deadlines().no_later_than(*this, loop().now() + kSweepEvery);
}

void Pool::closed(ServerConnection& server) {
  if (std::erase(idle_, &server) > 0) relay_.counters().pool.idle.subtract();
  loop().bury(servers_.take(server));
  if (!borrowers_.empty()) loop().flush_lane_later(*this);
}

// Those who get none ----------------------------------------------------------------------------------------

void Pool::fail(Borrower& borrower, Failure failure, std::string_view text) {
  leave(borrower);
  relay_.counters().failures.add(failure);
  borrower.client->not_lent(failure, text);
}

void Pool::expire(SteadyTime now) {
  while (!borrowers_.empty() && now >= borrowers_.front().until) {
    Borrower& first = borrowers_.front();
    const Refusal* known = refusal(first.key, now - relay_.timeouts().queue);
    const bool all_lent =
        servers_.size() >= most() &&
        std::none_of(servers_.begin(), servers_.end(), [](const auto& server) { return server->opening(); });
    Failure failure = Failure::unreachable;
    if (all_lent) failure = Failure::overloaded;
    if (relay_.generation()->upstreams.empty()) failure = Failure::no_backend;
    const std::string text = known != nullptr ? known->text : std::string();
    fail(first, failure, text);
  }
  if (!borrowers_.empty()) loop().deadlines().no_later_than(*this, borrowers_.front().until);
}

// Time ------------------------------------------------------------------------------------------------------

void Pool::on_deadline(SteadyTime now) {
  if (closing_) return;
  if (paused_until_ != SteadyTime{}) {
    if (now < paused_until_) return loop().deadlines().no_later_than(*this, paused_until_);
    resume();
  }
  expire(now);
  sweep(now);
  if (!borrowers_.empty()) flush();
}

void Pool::sweep(SteadyTime now) {
  if (servers_.empty()) return;
  if (now - swept_ >= kSweepEvery) {
    swept_ = now;
    const std::vector<ServerConnection*> idle = idle_;
    for (ServerConnection* server : idle) {
      if (server->outlived(now) || now - server->idle_since() >= kIdleMost) server->close_in_peace();
    }
  }
  loop().deadlines().no_later_than(*this, swept_ + kSweepEvery);
}

// Reload ----------------------------------------------------------------------------------------------------

void Pool::adopt(bool login_changed) {
  const auto& upstreams = relay_.generation()->upstreams;
  const auto configured = [&](const std::shared_ptr<Upstream>& upstream) {
    return index_of(upstreams, *upstream) != kNoBackend;
  };
  std::erase_if(reaches_, [&](const Reach& reach) { return !configured(reach.upstream); });
  if (login_changed) refusals_.clear();
  for (auto& server : servers_) {
    if (login_changed || !configured(server->upstream())) server->retire();
  }
  const std::vector<ServerConnection*> idle = idle_;  // the first ones were used longest ago
  for (ServerConnection* server : idle) {
    if (server->outlived(loop().now()) || too_many()) server->close_in_peace();
  }
  if (!borrowers_.empty()) loop().flush_lane_later(*this);
}

void Pool::addresses_changed(const Upstream& upstream) {
  for (std::size_t i = servers_.size(); i-- > 0;) {  // a closed one leaves the list
    if (servers_[i].upstream().get() == &upstream) servers_[i].addresses_changed();
  }
  for (Reach& reach : reaches_) {
    if (reach.upstream.get() == &upstream) reach.not_before = {};
  }
  if (!borrowers_.empty()) loop().flush_lane_later(*this);
}

void Pool::pause(SteadyTime until) {
  paused_until_ = until;
  const std::vector<ServerConnection*> idle = idle_;
  for (ServerConnection* server : idle) server->close_in_peace();
  loop().deadlines().no_later_than(*this, until);
}

void Pool::resume() {
  if (paused_until_ == SteadyTime{}) return;
  paused_until_ = {};
  const SteadyTime until = loop().now() + relay_.timeouts().queue;
  for (Borrower& borrower : borrowers_) borrower.until = until;
  if (borrowers_.empty()) return;
  loop().deadlines().no_later_than(*this, until);
  loop().flush_lane_later(*this);
}

void Pool::standing_changed() {
  const auto& upstreams = relay_.generation()->upstreams;
  for (std::size_t i = servers_.size(); i-- > 0;) {  // a closed one leaves the list
    if (superseded(upstreams, *servers_[i].upstream())) servers_[i].supersede();
  }
  for (Reach& reach : reaches_) {
    if (reach.upstream->usable(loop().now())) reach.not_before = {};
  }
  if (!borrowers_.empty()) loop().flush_lane_later(*this);
}

void Pool::close() {
  closing_ = true;
  assert(borrowers_.empty());
  loop().deadlines().cancel(*this);
  for (std::size_t i = servers_.size(); i-- > 0;) {
    if (servers_[i].state() == ServerConnection::State::idle) {
      servers_[i].close_in_peace();
    } else {
      servers_[i].close();
    }
  }
}

}  // namespace ambassador::proxy::net
