#include "proxy/net/relay.hpp"

#include <algorithm>

namespace ambassador::proxy::net {
namespace {

// Connections that were made by one are not what the other would make.
bool other_login(const config::Listener& one, const config::Listener& other) {
  return one.server_tls != other.server_tls ||
         one.redis.credentials_folder != other.redis.credentials_folder ||
         one.redis.mode != other.redis.mode ||  // what servers decline is heeded, or not
         one.redis.client_cache.has_value() != other.redis.client_cache.has_value();
}

}  // namespace

Relay::Relay(Loop& loop, const Outside& outside, std::shared_ptr<const Generation> generation)
    : Service(outside),
      loop_(loop),
      generation_(std::move(generation)),
      lanes_(generation_->upstreams.size()),
      hot_keys_([&loop] { return loop.now(); }) {
  take_limits();
  take_mirror();
}

Relay::~Relay() {
  close();
}

void Relay::adopt(std::shared_ptr<const Generation> generation) {
  const auto old = std::exchange(generation_, std::move(generation));
  take_limits();
  take_mirror();
  retire(lanes_.reorder(old->upstreams, generation_->upstreams));
  for (Lane* lane : lanes_.lanes()) lane->keep_anew();
  if (other_login(old->config, generation_->config)) login_changed();
  // Leased lanes to what is no longer configured end with their message; spare ones at once.
  for (auto& lane : std::exchange(spare_, {})) stock(std::move(lane));
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].check_leases();
  if (generation_->core->follows_homes()) standing_changed();
}

void Relay::take_limits() {
  const NoteLimits notes = generation_->core->note_limits();
  slow_log_.limit(notes.slow);
  hot_keys_.limit(notes.hot);
  big_keys_.limit(notes.big);
  notes_requests_ = notes.slow.size > 0 || notes.big.size > 0;
  const RateLimit limit = generation_->core->rate_limit();
  const TokenRate rate(limit.per_second, limit.burst);
  if (rate == rate_) return;
  rate_ = rate;
  for (const auto& client : clients_) client->rate_changed();
}

void Relay::take_mirror() {
  const std::string_view wanted = generation_->core->mirror();
  if (mirror_ && mirror_->listener() != wanted) {
    mirror_->close();
    loop_.bury(std::move(mirror_));
  }
  if (!mirror_ && !wanted.empty()) mirror_ = std::make_unique<Mirror>(*this, std::string(wanted));
}

void Relay::accept(Socket socket, const Address& peer, std::shared_ptr<OpenClients> open) {
  auto client = std::make_unique<Client>(*this, generation_, std::move(socket), peer, std::move(open));
  Client& accepted = clients_.add(std::move(client));
  counters().clients_total.add();
  if (!accepted.start()) accepted.close();
}

void Relay::drain() {
  draining_ = true;
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].drain();  // a closed one leaves the list
}

void Relay::close() {
  draining_ = true;
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].close();
  auto shared = lanes_.take_all();
  for (auto* list : {&shared, &retired_, &spare_}) {
    for (auto& lane : std::exchange(*list, {})) close_lane(std::move(lane));
  }
  if (mirror_) {
    mirror_->close();
    loop_.bury(std::move(mirror_));
  }
  assert(clients_.empty());
}

void Relay::addresses_changed(const Upstream& upstream) {
  for (Lane* lane : lanes_.lanes()) {
    if (&lane->upstream() == &upstream) lane->addresses_changed();
  }
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].addresses_changed(upstream);
}

void Relay::login_changed() {
  for (Lane* lane : lanes_.lanes()) lane->login_changed();
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].login_changed();
  for (auto& lane : std::exchange(spare_, {})) close_lane(std::move(lane));
}

void Relay::standing_changed() {
  for (Lane* lane : lanes_.lanes()) lane->standing_changed();
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].standing_changed();
}

void Relay::note_slow(std::chrono::microseconds took, const Client& client, const Upstream& upstream,
                      std::string_view request) {
  counters().slow_requests.add();
  const RequestName what = generation_->core->name_request(request);
  SlowRequest& slow = slow_log_.add();
  slow.listener = name();
  slow.at = std::chrono::system_clock::now();
  slow.took = took;
  slow.client = client.peer().text();
  slow.backend = upstream.backend().name;
  slow.command = what.command;
  slow.key = what.key.substr(0, kKeyShown);
}

void Relay::note_big(std::uint64_t bytes, std::string_view request) {
  const SystemTime now = std::chrono::system_clock::now();
  if (!big_keys_.takes(bytes, now)) return;
  const RequestName what = generation_->core->name_request(request);
  if (what.key.empty()) return;
  big_keys_.add({.listener = name(),
                 .at = now,
                 .bytes = bytes,
                 .command = std::string(what.command),
                 .key = std::string(what.key.substr(0, kKeyShown))});
}

void Relay::list_big_keys(std::vector<BigKey>& out) const {
  big_keys_.list(std::chrono::system_clock::now(), out);
}

void Relay::describe(std::vector<ClientSnapshot>& out, std::size_t limit) const {
  for (const auto& client : clients_) {
    if (out.size() >= limit) return;
    if (!client->closed()) out.push_back(client->describe(loop_.now()));
  }
}

Relay::FoundLane Relay::lane(const Generation& generation, BackendIndex backend, LaneKind kind) {
  if (backend >= generation.upstreams.size()) return {};
  if (&generation != generation_.get()) {  // a group that was opened before the last reload
    backend = index_of(generation_->upstreams, *generation.upstreams[backend]);
    if (backend == kNoBackend) return {};
  }
  std::unique_ptr<Lane>* lane = lanes_.place(kind, backend);
  if (lane == nullptr) lane = make_place(kind, backend);
  if (lane == nullptr) return {.why_not = Failure::overloaded};
  if (!*lane) {
    *lane = std::make_unique<Lane>(*this, generation_->upstreams[backend], generation_->counters[backend],
                                   Lane::Use::shared, kind);
  }
  return {.lane = lane->get()};
}

// There are as many kinds as there may be: one that nobody uses just now gives way.
std::unique_ptr<Lane>* Relay::make_place(LaneKind kind, BackendIndex backend) {
  retire(lanes_.take_unused_kind());
  return lanes_.place(kind, backend);
}

void Relay::retire(std::vector<std::unique_ptr<Lane>> lanes) {
  std::vector<Lane*> removed;
  for (auto& lane : lanes) {
    removed.push_back(lane.get());
    retired_.push_back(std::move(lane));
  }
  for (Lane* lane : removed) lane->retire();
}

void Relay::lane_unused(Lane& lane) {
  std::vector<std::unique_ptr<Lane>> unused;
  unused.push_back(lanes_.take(lane));
  if (unused.front()) retire(std::move(unused));
}

BackendIndex Relay::backend_instead_of(const Upstream& backend, Home home, bool declined) const {
  return generation_->core->elsewhere(index_of(generation_->upstreams, backend), home, declined);
}

Lane* Relay::lane_instead_of(const Lane& other, Home home, bool declined) {
  return lane(*generation_, backend_instead_of(other.upstream(), home, declined), other.kind()).lane;
}

BackendIndex Relay::backend_named(const Upstream& from, std::string_view to) const {
  return generation_->core->named(index_of(generation_->upstreams, from), to);
}

void Relay::moved() {
  if (loop_.now() - asked_for_news_ < kNewsApart) return;
  asked_for_news_ = loop_.now();
  outside().ask_standing(name());
}

BackendIndex Relay::choose() const {
  std::vector<std::uint32_t> open;
  open.reserve(generation_->upstreams.size());
  for (const auto& upstream : generation_->upstreams) {
    open.push_back(upstream->open_connections.load(std::memory_order_relaxed));
  }
  const BackendIndex chosen = generation_->core->choose(open);
  return chosen < open.size() ? chosen : kNoBackend;
}

std::unique_ptr<Lane> Relay::choose_lane(Client& client) {
  const BackendIndex chosen = choose();
  if (chosen == kNoBackend) return nullptr;
  return std::make_unique<Lane>(*this, generation_->upstreams[chosen], generation_->counters[chosen],
                                Lane::Use::own, LaneKind::ordinary, &client);
}

Relay::LeasedLane Relay::lease(const Generation& generation, BackendIndex backend, LaneKind kind) {
  if (backend >= generation.upstreams.size()) return {};
  if (leased_ >= kLeasedMost) return {.lane = {}, .why_not = Failure::overloaded};
  ++leased_;
  const auto& upstream = generation.upstreams[backend];
  for (auto& spare : spare_) {
    if (&spare->upstream() != upstream.get() || spare->kind() != kind || !spare->clean()) continue;
    std::swap(spare, spare_.back());
    auto lane = std::move(spare_.back());
    spare_.pop_back();
    return {.lane = std::move(lane)};
  }
  return {.lane =
              std::make_unique<Lane>(*this, upstream, generation.counters[backend], Lane::Use::leased, kind)};
}

void Relay::give_back(std::unique_ptr<Lane> lane, bool fit) {
  --leased_;
  lane->take_back();
  if (fit) return stock(std::move(lane));
  close_lane(std::move(lane));
}

void Relay::stock(std::unique_ptr<Lane> lane) {
  const bool configured = index_of(generation_->upstreams, lane->upstream()) != kNoBackend;
  if (configured && lane->clean()) {
    std::erase_if(spare_, [&](auto& one) { return !one->clean() && (close_lane(std::move(one)), true); });
    if (spare_.size() < kSpare) return spare_.push_back(std::move(lane));
  }
  close_lane(std::move(lane));
}

void Relay::close_lane(std::unique_ptr<Lane> lane) {
  lane->close();
  loop_.bury(std::move(lane));
}

void Relay::choose_again(Lane& lane) {
  const BackendIndex chosen = choose();
  if (chosen == kNoBackend || generation_->upstreams[chosen].get() == &lane.upstream()) return;
  lane.retarget(generation_->upstreams[chosen], generation_->counters[chosen]);
}

void Relay::client_closed(OpenClients* open) {
  if (open == nullptr) return;
  open->count.fetch_sub(1, std::memory_order_relaxed);
  outside().client_closed();
}

void Relay::client_gone(Client& client) {
  loop_.bury(clients_.take(client));
}

void Relay::lane_finished(Lane& lane) {
  const auto found =
      std::find_if(retired_.begin(), retired_.end(), [&](const auto& one) { return one.get() == &lane; });
  if (found == retired_.end()) return;
  lane.close();
  loop_.bury(std::move(*found));
  retired_.erase(found);
}

}  // namespace ambassador::proxy::net
