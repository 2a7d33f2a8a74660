// What the session of a pooled client says, carried out.
#include <algorithm>

#include "proxy/net/pooled_client.hpp"
#include "proxy/net/pooled_relay.hpp"

namespace ambassador::proxy::net {

Wire& PooledClient::wire(Side side) {
  return side == Side::client ? wire_ : server_->wire();
}

bool PooledClient::may_ask() const {
  if (closed_ || ending_ || borrowing_ || held_ || tls_due_ || wire_.shaking() || wire_.full()) return false;
  return server_ == nullptr || !server_->wire().full();
}

// The client's side, until nothing can be said before it has sent more. The pool may answer at once: its
// calls come back in here, and this loop goes on.
void PooledClient::ask() {
  if (std::exchange(asking_, true)) return;
  while (may_ask()) {
    const std::string_view input = wire_.input();
    if (rest(Side::client).bytes > 0) {  // what comes is no message's beginning
      if (!input.empty()) {
        take_rest(Side::client);
        continue;
      }
      // The server has half of it; without one there may be something to be told meanwhile.
      if (server_ != nullptr || !must_ask_) break;
    }
    rebind_if_stale();
    if (!carry_out(Side::client, session_->on_bytes(Side::client, input))) {
      must_ask_ = false;
      break;
    }
  }
  if (!closed_ && !wire_.input().empty() && !may_ask()) stopped_ = true;
  asking_ = false;
}

void PooledClient::rebind_if_stale() {
  if (generation_ == relay_.generation() || !session_->at_rest()) return;
  const auto old = std::exchange(generation_, relay_.generation());
  generation_->pooled->rebind(*session_);
  wrote();  // maybe, when nobody wanted to know it
}

void PooledClient::take_rest(Side from) {
  Wire& in = wire(from);
  Rest& left = rest(from);
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left.bytes, in.input().size()));
  left.bytes -= n;
  const std::string_view bytes = in.input().substr(0, n);
  in.consume(n);
  if (left.forward) forward(from, bytes);
}

// False: nothing more can be said of that side for now.
bool PooledClient::carry_out(Side from, const Step& step) {
  Wire& in = wire(from);
  const std::string_view bytes = in.input().substr(0, step.consumed);
  assert(bytes.size() == step.consumed);
  assert(step.more == 0 || step.consumed == in.input().size());
  if (step.began > 0 || step.ended > 0) count(step);
  // First, whatever comes next: it may close this client, and somebody else's server must not meet them. They
  // stay in their block meanwhile.
  in.consume(step.consumed);
  switch (step.kind) {
    case Step::Kind::need_more:
      if (in.input().size() > generation_->pooled->max_head()) head_too_long(from);
      return false;
    case Step::Kind::skip:
      assert(rest(from).bytes == 0);
      rest(from) = {step.more, false};
      return true;
    case Step::Kind::forward:
      assert(rest(from).bytes == 0);
      rest(from) = {step.more, true};
      forward(from, bytes);
      return true;
    case Step::Kind::send:
      send(step.to, step.text);
      return true;
    case Step::Kind::start_tls:
      if (!in.input().empty()) return broken("sent bytes before TLS was begun"), false;
      if (!generation_->certificate) return broken("wants TLS, which is not configured"), false;
      tls_due_ = true;
      loop().flush_client_later(*this);
      return false;
    case Step::Kind::borrow:
      if (step.again) relay_.counters().pool.run_again.add();
      borrowing_ = true;
      relay_.pool().borrow(*this);
      return !borrowing_;
    case Step::Kind::give_back:
      give_back(step);
      return true;
    case Step::Kind::hold:
      assert(from == Side::client && server_ != nullptr);
      held_ = true;
      return false;
    case Step::Kind::cancel:
      relay_.outside().cancel(relay_.name(),
                              {std::string(step.text), std::make_shared<Socket>(wire_.socket().duplicate())});
      return true;
    case Step::Kind::close:
      send(Side::client, step.text);
      if (!closed_) end();
      return false;
    case Step::Kind::ready:
    case Step::Kind::failed:
      break;
  }
  assert(false && "a step that is a server's alone");
  broken("the protocol's core is at fault");
  return false;
}

void PooledClient::head_too_long(Side of) {
  if (of == Side::client) return broken("sent a message's head that is too long");
  server_->broken("the server sent a message's head that is too long");
}

void PooledClient::forward(Side from, std::string_view bytes) {
  if (bytes.empty()) return;
  if (from == Side::server) {
    wire_.out.append_reply(loop().pool(), server_->wire().block(), bytes.data(), bytes.size());
    return wrote_more();
  }
  if (server_ == nullptr) return;  // it was lost in the middle of a message
  server_->wire().out.append(loop().pool(), wire_.block(), bytes.data(), bytes.size());
  loop().flush_lane_later(*server_);
}

void PooledClient::send(Side to, std::string_view text) {
  if (text.empty()) return;
  if (to == Side::client) {
    wire_.out.copy(loop().pool(), text.data(), text.size());
    return wrote_more();
  }
  assert(server_ != nullptr);
  if (server_ == nullptr) return;
  server_->wire().out.copy(loop().pool(), text.data(), text.size());
  loop().flush_lane_later(*server_);
}

// The server ------------------------------------------------------------------------------------------------

void PooledClient::lent(ServerConnection& server) {
  borrowing_ = false;
  server_ = &server;
  rest(Side::server) = {};
  server_gets(begun_.size());
  session_->server_lent(server.protocol());
  if (session_->logging_in()) limit_login();
  must_ask_ = true;
  if (!asking_) loop().again(*this);
}

void PooledClient::not_lent(Failure failure, std::string_view text) {
  borrowing_ = false;
  session_->borrow_failed(failure, text);
  must_ask_ = true;
  if (!asking_) loop().again(*this);
}

void PooledClient::give_back(const Step& step) {
  if (server_ == nullptr) return;
  if (step.wrote) wrote();
  if (step.again) must_ask_ = true;
  held_ = false;
  assert(rest(Side::server).bytes == 0);
  assert(rest(Side::client).bytes == 0 || !rest(Side::client).forward);
  forget_requests();  // those that the session answers itself
  std::exchange(server_, nullptr)->give_back();
}

// By the clock as it is now: the turn's time may be before the write.
void PooledClient::wrote() {
  wrote_at_ = std::chrono::steady_clock::now();
}

void PooledClient::server_lost() {
  held_ = false;
  if (server_->lent_for() != Role::replica) wrote();
  for (std::uint64_t i = 0; i < owed_; ++i) relay_.counters().failures.add(Failure::lost);
  if (owed_ > 0) server_->counters().failures.add(Failure::lost);
  forget_requests();
  server_ = nullptr;
  rest(Side::server) = {};
  rest(Side::client).forward = false;
  session_->server_lost();
  must_ask_ = true;
  if (!asking_) loop().again(*this);
}

bool PooledClient::cancel(const Wish& wish) {
  if (closed_ || (server_ == nullptr && !borrowing_) || !session_->may_cancel(wish.text)) return false;
  if (server_ != nullptr) {
    if (server_->interruptions() < PooledRelay::kCancelsMost) relay_.interrupt(*server_, wish.asker);
    return true;
  }
  relay_.pool().forget(*this);
  borrowing_ = false;
  session_->borrow_cancelled();
  must_ask_ = true;
  if (!asking_) loop().again(*this);
  return true;
}

// Measuring -------------------------------------------------------------------------------------------------

void PooledClient::count(const Step& step) {
  if (step.began > 0) {
    requests_ += step.began;
    relay_.counters().requests.add(step.began);
    for (unsigned i = 0; i < step.began; ++i) begun_.push() = loop().now();
    if (server_ != nullptr) server_gets(step.began);
  }
  for (unsigned i = 0; i < step.ended && !begun_.empty(); ++i) {
    relay_.counters().replies.add();
    if (owed_ > 0 && server_ != nullptr) {
      --owed_;
      BackendCounters& counters = server_->counters();
      counters.owed.subtract();
      counters.replies.add();
      counters.request_time.record(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(loop().now() - begun_.front()).count()));
    }
    begun_.pop();
  }
}

void PooledClient::server_gets(std::uint64_t requests) {
  if (requests == 0) return;
  owed_ += requests;
  server_->counters().owed.add(requests);
  server_->counters().requests.add(requests);
}

void PooledClient::forget_requests() {
  server_->counters().owed.subtract(owed_);
  owed_ = 0;
}

}  // namespace ambassador::proxy::net
