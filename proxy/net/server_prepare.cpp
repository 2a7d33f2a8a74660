// How a connection of a pool becomes fit to be lent: connects, encrypts, logs in, and puts things in order
// after a client, as its protocol says.
#include <algorithm>

#include "proxy/net/pool.hpp"
#include "proxy/net/pooled_relay.hpp"
#include "proxy/net/server_connection.hpp"

namespace ambassador::proxy::net {

void ServerConnection::open() {
  state_ = State::connecting;
  came_to(connecting_.begin(*upstream_, upstream_->next_start(), relay_.timeouts().connect));
}

void ServerConnection::came_to(Connecting::State state) {
  if (state == Connecting::State::connected) return connected();
  if (state == Connecting::State::pending) return;
  counters_->connect_failures.add();
  upstream_->connect_failed(connecting_.why(), loop().now());
  relay_.outside().resolve_again(upstream_);
  pool_.unreachable(*this, connecting_.why());
  close();
}

void ServerConnection::connected() {
  Socket socket = connecting_.take();
  state_ = State::preparing;
  if (!wire_.open(std::move(socket), true)) return not_prepared({}, true, "the poller takes no more sockets");
  up_ = true;
  counters_->connected(connecting_.took());
  upstream_->connected();
  prepare();
}

void ServerConnection::prepare() {
  prepared_until_ = loop().now() + kPrepareTimes * relay_.timeouts().connect;
  watch_preparing();
  talk();
}

void ServerConnection::watch_preparing() {
  loop().deadlines().no_later_than(*this, prepared_until_);
}

// Asks until nothing can be said before the server has sent more.
void ServerConnection::talk() {
  while ((state_ == State::preparing || state_ == State::idle) && !wire_.shaking()) {
    const std::string_view input = wire_.input();
    if (skip_ > 0) {
      if (input.empty()) return;
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, input.size()));
      wire_.consume(n);
      skip_ -= n;
      continue;
    }
    if (state_ == State::idle && input.empty()) return;
    const Role before = server_->role();
    const bool goes_on = carry_out(server_->on_bytes(input));
    if (state_ == State::idle && server_->role() != before) {
      note_role();
      pool_.role_changed();
    }
    if (!goes_on) return;
  }
}

bool ServerConnection::carry_out(const Step& step) {
  assert(step.consumed <= wire_.input().size());
  wire_.consume(step.consumed);
  switch (step.kind) {
    case Step::Kind::need_more:
      if (wire_.input().size() > generation_->pooled->max_head())
        lost("the server sent a message's head that does not end");
      return false;
    case Step::Kind::skip:
      skip_ = step.more;
      return true;
    case Step::Kind::send:
      wire_.out.copy(loop().pool(), step.text.data(), step.text.size());
      loop().flush_lane_later(*this);
      return true;
    case Step::Kind::start_tls:
      start_tls();
      return false;
    case Step::Kind::ready:
      ready();
      return true;
    case Step::Kind::failed: {
      const std::string text(step.text);
      not_prepared(text, step.passing, "the server refused the login");
      return false;
    }
    default:
      assert(false && "a step that is a session's alone");
      lost("the protocol's core is at fault");
      return false;
  }
}

void ServerConnection::start_tls() {
  if (!wire_.input().empty()) return not_prepared({}, true, "the server sent bytes before TLS was begun");
  if (!generation_->tls) return not_prepared({}, false, "TLS is wanted and not configured");
  auto tls = generation_->tls->connection(upstream_->backend().host);
  if (!tls) return not_prepared({}, true, "TLS can't be set up for this host");
  if (wire_.flush() < 0 || !wire_.out.empty())
    return not_prepared({}, true, "the server did not take a few bytes");
  wire_.start_tls(std::move(tls));
  shake();
}

void ServerConnection::shake() {
  switch (wire_.shake()) {
    case Transport::Handshake::pending:
      return;
    case Transport::Handshake::failed:
      return not_prepared({}, !wire_.distrusted(), wire_.why(0));
    case Transport::Handshake::done:
      break;
  }
  server_->tls_started({.server_end_point = wire_.server_end_point()});
  talk();
  if (state_ != State::closed) read();
}

void ServerConnection::note_role() {
  if (server_->role() != Role::any) upstream_->set_role(server_->role(), loop().now());
}

void ServerConnection::ready() {
  if (state_ == State::idle) return;
  state_ = State::idle;
  idle_since_ = loop().now();
  note_role();
  wire_.release_if_empty();
  pool_.ready(*this);
}

void ServerConnection::not_prepared(std::string_view text, bool passing, std::string_view why) {
  upstream_->note_error(why, std::chrono::system_clock::now());
  if (lent_before_ || state_ == State::idle) {
    // It worked before: a new connection will tell what is wrong, if anything is.
    relay_.say(config::LogLevel::debug, "closed a connection to a backend", upstream_.get(), why);
  } else {
    counters_->connect_failures.add();
    pool_.refused(*this, text, passing, why);
  }
  close();
}

}  // namespace ambassador::proxy::net
