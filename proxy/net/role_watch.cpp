#include "proxy/net/role_watch.hpp"

#include <algorithm>
#include <cassert>
#include <random>

#include "proxy/net/pooled_relay.hpp"

namespace ambassador::proxy::net {
namespace {

SteadyTime::duration about(SteadyTime::duration interval) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::duration_cast<SteadyTime::duration>(
      interval * std::uniform_real_distribution<double>(0.9, 1.1)(random));
}

}  // namespace

RoleWatch::~RoleWatch() {
  assert(servers_.empty());
}

Loop& RoleWatch::loop() const {
  return relay_.loop();
}

void RoleWatch::begin() {
  adopt(false);
}

void RoleWatch::adopt(bool login_changed) {
  const Generation& generation = *relay_.generation();
  std::vector<Watched> watched;
  if (generation.watches) {
    for (const auto& upstream : generation.upstreams) {
      const auto known = std::find_if(watched_.begin(), watched_.end(),
                                      [&](const Watched& one) { return one.upstream == upstream; });
      watched.push_back(known != watched_.end() ? *known : Watched{upstream, nullptr, loop().now()});
    }
  }
  watched_ = std::move(watched);
  standings_.follow(generation.watches ? generation.upstreams : Upstreams());
  for (std::size_t i = servers_.size(); i-- > 0;) {  // a closed one leaves the list
    Watched* const one = find(servers_[i]);
    if (one == nullptr) {
      servers_[i].close_in_peace();
    } else if (login_changed) {
      let_go(*one);
    }
  }
  if (watched_.empty()) return loop().deadlines().cancel(*this);
  wake();
}

void RoleWatch::addresses_changed(const Upstream& upstream) {
  for (std::size_t i = servers_.size(); i-- > 0;) {
    if (servers_[i].upstream().get() == &upstream) servers_[i].addresses_changed();
  }
  for (Watched& one : watched_) {
    if (one.upstream.get() == &upstream && one.server == nullptr) one.due = loop().now();
  }
  wake();
}

void RoleWatch::close() {
  closing_ = true;
  watched_.clear();  // what is closed now is nobody's
  loop().deadlines().cancel(*this);
  for (std::size_t i = servers_.size(); i-- > 0;) servers_[i].close_in_peace();
}

RoleWatch::Watched* RoleWatch::find(const ServerConnection& server) {
  const auto found = std::find_if(watched_.begin(), watched_.end(),
                                  [&](const Watched& one) { return one.server == &server; });
  return found == watched_.end() ? nullptr : &*found;
}

// Asking ----------------------------------------------------------------------------------------------------

void RoleWatch::wake() {
  if (closing_ || watched_.empty()) return;
  const auto first = std::min_element(watched_.begin(), watched_.end(),
                                      [](const Watched& a, const Watched& b) { return a.due < b.due; });
  loop().deadlines().no_later_than(
      *this, reads_wait() ? std::min(first->due, loop().now() + kIntervalForNews) : first->due);
}

// Clients' reads may depend on what they wrote.
bool RoleWatch::reads_wait() const {
  const config::Sql& sql = relay_.generation()->config.sql;
  return sql.read_write_split != config::ReadWriteSplit::disabled && sql.causal_reads;
}

bool RoleWatch::news_wanted(SteadyTime now) const {
  return reads_wait() && std::any_of(watched_.begin(), watched_.end(), [&](const Watched& one) {
           return now - one.upstream->news_wanted_at() <= 2 * kIntervalForNews;
         });
}

void RoleWatch::on_deadline(SteadyTime now) {
  const bool news = news_wanted(now);
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    const bool soon = news && watched_[i].asked && now - watched_[i].asked_at >= kIntervalForNews;
    if (soon || now >= watched_[i].due) ask(watched_[i], static_cast<BackendIndex>(i));
  }
  wake();
}

void RoleWatch::ask(Watched& one, BackendIndex backend) {
  one.due = next();
  if (one.server == nullptr) {
    const Errand errand{relay_.generation()->pooled->watch_key()};
    if (errand.key.empty()) return;
    auto made = std::make_unique<ServerConnection>(relay_, *this, relay_.generation(), backend, errand);
    one.server = &servers_.add(std::move(made));
    one.asked = false;
    one.server->open();
  } else if (one.server->state() == ServerConnection::State::idle) {
    one.asked_at = loop().now();
    one.server->ask();
  }
}

bool RoleWatch::has_primary() const {
  return std::any_of(watched_.begin(), watched_.end(), [&](const Watched& one) {
    return one.answers && leads(relay_.generation()->upstreams, *one.upstream);
  });
}

SteadyTime RoleWatch::next() const {
  const config::Sql& sql = relay_.generation()->config.sql;
  auto interval = kInterval;
  // With what is added by chance, a third.
  if (sql.uses_replicas()) interval = std::min(interval, sql.max_lag * 3 / 10);
  if (!has_primary()) interval = kIntervalWithoutPrimary;
  return loop().now() + about(interval);
}

// What comes of it ------------------------------------------------------------------------------------------

void RoleWatch::ready(ServerConnection& server) {
  Watched* const one = find(server);
  if (one == nullptr) return server.close_in_peace();
  if (!std::exchange(one->answers, true)) relay_.outside().standing_changed(relay_.name());
  if (one->asked) learn(*one);
  if (server.outlived(loop().now())) return let_go(*one);
  // What it said at its login may be less than it says when it is asked.
  one->due = std::exchange(one->asked, true) ? next() : loop().now();
  wake();
}

// It answered.
void RoleWatch::learn(Watched& one) {
  const SteadyTime now = loop().now();
  if (!standings_.said(*one.upstream, one.server->standing(), one.asked_at, now)) return;
  for (Watched& other : watched_) {
    if (&other != &one) other.due = now;
  }
}

// Another one is opened when it is due.
void RoleWatch::let_go(Watched& one) {
  std::exchange(one.server, nullptr)->close_in_peace();
  one.due = loop().now();
  wake();
}

void RoleWatch::unreachable(ServerConnection& /*server*/, std::string_view /*why*/) {
  // The pool says so, and closed() comes.
}

void RoleWatch::refused(ServerConnection& server, std::string_view /*text*/, bool passing,
                        std::string_view why) {
  Watched* const one = find(server);  // closed() comes
  if (one == nullptr || passing) return;
  one->refused = true;
  if (one->answers)
    relay_.say(config::LogLevel::warning, "a backend does not tell whether it is the primary",
               one->upstream.get(), why);
}

// A primary that ends may have a successor: the others are asked at once, and this one again soon.
void RoleWatch::closed(ServerConnection& server) {
  if (Watched* const one = find(server)) {
    const bool had_primary = has_primary();
    one->server = nullptr;
    one->answers = false;
    standings_.silent(*one->upstream, loop().now());
    const bool lost_primary = had_primary && !has_primary();
    for (Watched& other : watched_) {
      if (lost_primary && &other != one) other.due = loop().now();
    }
    one->due = std::exchange(one->refused, false) ? loop().now() + about(kInterval) : next();
    wake();
  }
  loop().bury(servers_.take(server));
}

}  // namespace ambassador::proxy::net
