#include "proxy/net/pooled_client.hpp"

#include <algorithm>
#include <cerrno>

#include "proxy/net/login_limit.hpp"
#include "proxy/net/pooled_relay.hpp"
#include "proxy/net/tls_server.hpp"

namespace ambassador::proxy::net {
namespace {

/// An idle client keeps no more than these places for requests.
constexpr std::size_t kRequestsKept = 16;

PooledCore::Client newcomer(const Generation& generation) {
  PooledCore::Client client = generation.numbers->take();
  client.can_tls = generation.certificate != nullptr;
  return client;
}

}  // namespace

PooledClient::PooledClient(PooledRelay& relay, std::shared_ptr<const Generation> generation, Socket socket,
                           Address peer, std::shared_ptr<OpenClients> open)
    : relay_(relay),
      generation_(std::move(generation)),
      who_(newcomer(*generation_)),
      session_(generation_->pooled->new_session(who_)),
      wire_(relay.loop(), *this),
      accepted_(std::move(socket)),
      peer_(peer),
      open_(std::move(open)),
      started_(relay.loop().now()),
      active_(started_) {}

PooledClient::~PooledClient() = default;

Loop& PooledClient::loop() const {
  return relay_.loop();
}

bool PooledClient::start() {
  if (!wire_.open(std::move(accepted_), false)) return false;
  set_deadline();
  limit_login();
  return true;
}

void PooledClient::on_ready(std::uint32_t events) {
  if (closed_) return;
  if (wire_.told(events)) loop().flush_client_later(*this);
  if (wire_.shaking()) return shake();
  // Who waits for a server is not read: that it left shows only here.
  if (wire_.hung_up() && (borrowing_ || held_)) return close();
  // A reset while nobody reads would not be seen: nobody is there to be answered any more.
  if ((events & EPOLLERR) != 0 && (ending_ || !may_read())) return close();
  read();
}

void PooledClient::go_on() {
  if (closed_) return;
  stopped_ = false;
  ask();
  if (!closed_) read();
}

bool PooledClient::may_read() {
  if (!may_ask() || wire_.shaking()) return false;
  // Who holds a server goes on, so that it can be given back.
  if (server_ == nullptr && loop().under_pressure()) {
    loop().wait_for_memory(*this);
    return false;
  }
  return true;
}

void PooledClient::read() {
  int budget = kReadsPerTurn;
  while (wire_.readable() && !closed_) {
    if (!may_read()) {
      stopped_ = true;
      return;
    }
    if (budget-- == 0) return loop().again(*this);
    const std::ptrdiff_t got = wire_.receive();
    if (got > 0) {
      received(static_cast<std::size_t>(got));
      continue;
    }
    if (got == -EAGAIN) return;
    return close();  // the end of what it sends is the end of it
  }
}

void PooledClient::received(std::size_t bytes) {
  active_ = loop().now();
  bytes_received_ += bytes;
  relay_.counters().bytes_received.add(bytes);
  ask();
  if (closed_) return;
  wire_.release_if_empty();
  leave_if_told();
}

void PooledClient::server_sent() {
  if (closed_) return;
  active_ = loop().now();
  bool must_ask = std::exchange(held_, false);
  while (server_ != nullptr && !ending_) {
    Wire& from = server_->wire();
    if (rest(Side::server).bytes > 0) {
      if (from.input().empty()) break;
      take_rest(Side::server);
      continue;
    }
    if (!carry_out(Side::server, session_->on_bytes(Side::server, from.input()))) break;
  }
  // What the client has sent may mean something now.
  must_ask = must_ask || must_ask_;
  if (!closed_ && (must_ask || !wire_.input().empty())) ask();
  leave_if_told();
  read_on_if_stopped();
}

void PooledClient::read_on_if_stopped() {
  if (!stopped_ || !may_read()) return;
  stopped_ = false;
  loop().again(*this);
}

void PooledClient::wrote_more() {
  loop().flush_client_later(*this);
  if (!wire_.full()) return;
  flush();
  if (closed_ || !wire_.full() || stalled_since_ != SteadyTime::max()) return;
  stalled_since_ = loop().now();
  loop().deadlines().no_later_than(*this, stalled_since_ + kStalledMost);
}

void PooledClient::flush() {
  if (closed_) return;
  const std::ptrdiff_t sent = wire_.flush();
  if (sent < 0) return close();
  if (sent > 0) {
    bytes_sent_ += static_cast<std::uint64_t>(sent);
    relay_.counters().bytes_sent.add(static_cast<std::uint64_t>(sent));
    active_ = loop().now();
    if (stalled_since_ != SteadyTime::max()) stalled_since_ = active_;
  }
  if (wire_.out.empty()) {
    if (ending_) return close();
    if (tls_due_) return start_tls();
    wire_.out.shrink();
  }
  if (wire_.out.size() > Wire::kLow) return;
  if (std::exchange(stalled_since_, SteadyTime::max()) != SteadyTime::max() && server_ != nullptr)
    server_->client_has_room();
  read_on_if_stopped();
}

// TLS -------------------------------------------------------------------------------------------------------

void PooledClient::start_tls() {
  tls_due_ = false;
  const auto context = generation_->certificate->current();
  certificate_ = context;
  Transport::Tls tls = tls_for_client(*context);
  if (!tls) return close();
  wire_.start_tls(std::move(tls));
  shake();
}

void PooledClient::shake() {
  switch (wire_.shake()) {
    case Transport::Handshake::pending:
      return;
    case Transport::Handshake::failed:
      return broken(wire_.why(0).c_str());
    case Transport::Handshake::done:
      break;
  }
  session_->tls_started({.server_end_point = wire_.server_end_point()});
  go_on();
}

// The end ---------------------------------------------------------------------------------------------------

void PooledClient::drain() {
  draining_ = true;
  leave_if_told();
}

void PooledClient::leave_if_told() {
  if (!draining_ || closed_ || ending_ || borrowing_ || !wire_.input().empty()) return;
  if (rest(Side::client).bytes > 0 || rest(Side::server).bytes > 0 || !session_->at_rest()) return;
  send(Side::client, session_->farewell());
  end();
}

// Closes when all is written.
void PooledClient::end() {
  ending_ = true;
  leave_server();
  ends_at_ = loop().now() + kLastWords;
  loop().deadlines().no_later_than(*this, ends_at_);
  loop().flush_client_later(*this);
}

void PooledClient::leave_server() {
  if (server_ == nullptr) return;
  forget_requests();
  const bool whole = rest(Side::client).bytes == 0 && rest(Side::server).bytes == 0;
  const bool fit = session_->client_left() && whole;
  ServerConnection* const server = std::exchange(server_, nullptr);
  rest_ = {};
  if (fit) {
    server->give_back();
  } else {
    server->abandon();
  }
}

void PooledClient::broken(const char* why) {
  relay_.counters().clients_broken.add();
  relay_.say(config::LogLevel::info, "closed a client", nullptr, why, peer_.text());
  close();
}

void PooledClient::close() {
  if (closed_) return;
  closed_ = true;
  if (std::exchange(borrowing_, false)) relay_.pool().forget(*this);
  leave_server();
  wire_.close();
  loop().deadlines().cancel(*this);
  generation_->numbers->give_back(who_);
  relay_.client_closed(*this, *open_);
}

// Time ------------------------------------------------------------------------------------------------------

void PooledClient::set_deadline() {
  const auto idle = relay_.timeouts().idle;
  if (idle.count() > 0) loop().deadlines().no_later_than(*this, std::max(active_ + idle, loop().now()));
}

void PooledClient::limit_login() {
  logged_in_by_ = loop().now() + kLoginMost;
  loop().deadlines().no_later_than(*this, logged_in_by_);
}

void PooledClient::on_deadline(SteadyTime now) {
  if (closed_ || now >= ends_at_) return close();
  if (!ending_ && !borrowing_ && session_->logging_in()) {
    if (now >= logged_in_by_) return broken(kLoginTooSlow);
    loop().deadlines().no_later_than(*this, logged_in_by_);
  }
  if (ends_at_ != SteadyTime::max()) loop().deadlines().no_later_than(*this, ends_at_);
  if (stalled_since_ != SteadyTime::max()) {
    if (now - stalled_since_ >= kStalledMost && server_ != nullptr && relay_.pool().somebody_waits()) {
      relay_.counters().clients_slow.add();
      relay_.say(config::LogLevel::warning, "closed a client that does not read its replies",
                 server_->upstream().get(), std::to_string(wire_.out.size()) + " bytes wait for it",
                 peer_.text());
      return close();
    }
    loop().deadlines().no_later_than(*this, std::max(stalled_since_ + kStalledMost, now + kLastWords));
  }
  const auto idle = relay_.timeouts().idle;
  if (idle.count() > 0 && now - active_ >= idle && begun_.empty() && !borrowing_) {
    relay_.counters().clients_idle.add();
    return close();
  }
  if (begun_.empty() && begun_.capacity() > kRequestsKept) begun_.release();
  if (idle.count() > 0)
    loop().deadlines().no_later_than(*this, now - active_ >= idle ? now + idle : active_ + idle);
}

ClientSnapshot PooledClient::describe(SteadyTime now) const {
  ClientSnapshot out;
  out.listener = relay_.name();
  out.peer = peer_.text();
  if (server_ != nullptr) out.backend = server_->upstream()->backend().name;
  out.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
  out.idle = std::chrono::duration_cast<std::chrono::milliseconds>(now - active_);
  out.requests = requests_;
  out.bytes_received = bytes_received_;
  out.bytes_sent = bytes_sent_;
  out.pending = begun_.size();
  out.buffered_bytes = wire_.out.size();
  return out;
}

}  // namespace ambassador::proxy::net
