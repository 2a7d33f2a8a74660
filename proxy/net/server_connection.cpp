#include "proxy/net/server_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <random>

#include "proxy/net/pool.hpp"
#include "proxy/net/pooled_client.hpp"
#include "proxy/net/pooled_relay.hpp"

namespace ambassador::proxy::net {
namespace {

/// A connection's life ends between three quarters of this and the whole, so that not all end at once: what
/// servers keep per connection grows, and load spreads again after a change.
constexpr std::chrono::minutes kOldest{60};

SteadyTime::duration life() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::duration_cast<SteadyTime::duration>(
      kOldest * std::uniform_real_distribution<double>(0.75, 1.0)(random));
}

}  // namespace

ServerConnection::ServerConnection(PooledRelay& relay, Pool& pool,
                                   std::shared_ptr<const Generation> generation, BackendIndex backend,
                                   const Borrower& borrower)
    : relay_(relay),
      pool_(pool),
      generation_(std::move(generation)),
      upstream_(generation_->upstreams[backend]),
      counters_(generation_->counters[backend]),
      key_(borrower.key),
      alone_for_(borrower.alone ? borrower.client : nullptr),
      opened_for_(borrower.role),
      server_(generation_->pooled->new_server(key_, borrower.alone)),
      connecting_(relay.loop(), *this),
      wire_(relay.loop(), *this),
      old_at_(relay.loop().now() + life()) {}

ServerConnection::~ServerConnection() {
  close();
}

Loop& ServerConnection::loop() const {
  return relay_.loop();
}

void ServerConnection::lend(PooledClient& client) {
  assert(state_ == State::idle);
  state_ = State::lent;
  lent_before_ = true;
  client_ = &client;
  relay_.counters().pool.lent.add();
}

void ServerConnection::give_back() {
  assert(state_ == State::lent);
  client_ = nullptr;
  relay_.counters().pool.lent.subtract();
  if (interruptions_ > 0) {
    state_ = State::held;
    return;
  }
  went_on_after_client();
}

void ServerConnection::abandon() {
  assert(state_ == State::lent);
  client_ = nullptr;
  relay_.counters().pool.lent.subtract();
  abandoned_ = true;
  state_ = State::held;
  relay_.interrupt(*this);
  if (interruptions_ == 0) close();
}

void ServerConnection::interruption_ended() {
  assert(interruptions_ > 0);
  if (--interruptions_ > 0 || state_ != State::held) return;
  if (abandoned_) return close();
  went_on_after_client();
  loop().again(*this);  // it was not read meanwhile
}

void ServerConnection::went_on_after_client() {
  if (alone_for_ != nullptr || outlived(loop().now()) || pool_.too_many()) return close_in_peace();
  state_ = State::preparing;
  if (server_->given_back()) {
    ready();
    // What came behind the last reply is for the server's own ears.
    if (state_ == State::idle && !wire_.input().empty()) talk();
    return;
  }
  prepare();
}

void ServerConnection::on_ready(std::uint32_t events) {
  if (state_ == State::closed) return;
  if (state_ == State::connecting) return came_to(connecting_.ready(events));
  if (wire_.told(events)) loop().flush_lane_later(*this);
  if (wire_.shaking()) return shake();
  read();
}

void ServerConnection::read() {
  int budget = kReadsPerTurn;
  while (wire_.readable() && state_ != State::closed && state_ != State::held && !wire_.shaking()) {
    if (client_ != nullptr && client_->unread()) return;  // client_has_room() comes
    if (budget-- == 0) return loop().again(*this);
    const std::ptrdiff_t got = wire_.receive();
    if (got > 0) {
      counters_->bytes_received.add(static_cast<std::uint64_t>(got));
      if (client_ != nullptr) {
        client_->server_sent();
      } else {
        talk();
      }
      wire_.release_if_empty();
      continue;
    }
    if (got == -EAGAIN) return;
    return lost(got == 0 ? "the server closed the connection" : wire_.why(got));
  }
}

void ServerConnection::flush() {
  if (state_ == State::closed || state_ == State::connecting) return;
  const std::ptrdiff_t sent = wire_.flush();
  if (sent < 0) {
    const std::string why = wire_.why(sent);
    wire_.told(EPOLLHUP);  // its last words may say why
    read();
    // A client that does not read now will get them, and the end, later.
    if (state_ != State::closed && (client_ == nullptr || !client_->unread())) lost(why);
    return;
  }
  counters_->bytes_sent.add(static_cast<std::uint64_t>(sent));
  if (client_ != nullptr && wire_.out.size() <= Wire::kLow) client_->server_has_room();
}

void ServerConnection::on_deadline(SteadyTime now) {
  if (state_ == State::connecting) return came_to(connecting_.late(now));
  if (state_ != State::preparing) return;
  if (now < prepared_until_) return watch_preparing();
  not_prepared({}, true, "the server took too long to log in or to reset");
}

void ServerConnection::addresses_changed() {
  const auto addresses = upstream_->addresses();
  if (addresses->empty() || state_ == State::connecting) return;
  moved_ = std::find(addresses->begin(), addresses->end(), address()) == addresses->end();
  if (moved_ && state_ == State::idle) close_in_peace();
}

void ServerConnection::lost(std::string_view why) {
  counters_->lanes_lost.add();
  upstream_->note_error(why, std::chrono::system_clock::now());
  if (state_ == State::preparing) return not_prepared({}, true, why);
  relay_.say(state_ == State::lent ? config::LogLevel::warning : config::LogLevel::debug,
             "lost a connection to a backend", upstream_.get(), why);
  relay_.outside().resolve_again(upstream_);
  PooledClient* const client = client_;
  close();
  if (client != nullptr) client->server_lost();
}

void ServerConnection::close_in_peace() {
  const std::string_view farewell = server_->farewell();
  wire_.out.copy(loop().pool(), farewell.data(), farewell.size());
  if (wire_.flush() < 0) {
    // It is gone already, which is what was wanted.
  }
  close();
}

void ServerConnection::close() {
  if (state_ == State::closed) return;
  if (state_ == State::lent) relay_.counters().pool.lent.subtract();
  if (state_ == State::connecting) connecting_.stop();
  if (up_) {
    counters_->lanes_open.subtract();
    upstream_->disconnected();
  }
  const State was = std::exchange(state_, State::closed);
  client_ = nullptr;
  wire_.close();
  loop().deadlines().cancel(*this);
  relay_.interruptions_forget(*this);
  pool_.closed(*this, was);
}

}  // namespace ambassador::proxy::net
