// What a lane's new connection goes through before anything of a client goes over it: TLS, then the greeting
// of its kind. Both together have timeouts.connect. A refusal ends the round of connecting, as an address
// that does not answer does.
#include <cerrno>
#include <cstring>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

void Lane::connected() {
  const Generation& generation = *relay_.generation();
  transport_ = Transport(connecting_.take());
  loop().poller().want_writing(transport_.socket(), *this, false);
  readable_ = hung_up_ = write_blocked_ = moving_ = told_end_ = stale_ = false;
  const ProtocolCore& core = *generation.core;
  auto greeting = use_ == Use::shared ? core.new_shared_greeting(kind_) : core.new_greeting(kind_);
  if (!greeting && !generation.tls) return come_up();
  state_ = State::greeting;
  welcome_ = std::make_unique<Welcome>();
  welcome_->greeting = std::move(greeting);
  welcome_->until = loop().now() + relay_.timeouts().connect;
  loop().deadlines().no_later_than(*this, welcome_->until);
  if (generation.tls) {
    start_tls();
  } else {
    begin_greeting();
  }
}

void Lane::start_tls() {
  auto tls = relay_.generation()->tls->connection(upstream_->backend().host);
  if (!tls) return not_greeted("TLS can't be set up for this host");
  transport_.start(std::move(tls));
  welcome_->shaking = true;
  shake();
}

void Lane::on_ready_greeting(std::uint32_t events) {
  constexpr std::uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kEnds) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | kEnds)) != 0 || transport_.wants_writing()) readable_ = true;
  write_blocked_ = false;
  if (welcome_->shaking) return shake();
  send_greeting();
  if (state_ == State::greeting) hear_greeting();
}

void Lane::shake() {
  switch (transport_.handshake()) {
    case Transport::Handshake::pending:
      if (transport_.wants_writing()) loop().poller().want_writing(transport_.socket(), *this, true);
      return;
    case Transport::Handshake::failed:
      return not_greeted(transport_.why());
    case Transport::Handshake::done:
      break;
  }
  welcome_->shaking = false;
  readable_ = true;  // it may have received more than the handshake
  begin_greeting();
}

void Lane::begin_greeting() {
  if (!welcome_->greeting) {
    come_up();
    return loop().again(*this);
  }
  greet({});
  if (state_ == State::greeting) hear_greeting();
}

void Lane::hear_greeting() {
  while (readable_ && state_ == State::greeting) {
    const std::ptrdiff_t got = receive();
    if (got > 0) {
      greet(input_.view());
      continue;
    }
    if (got == -EAGAIN) return;
    return not_greeted(got == 0 ? "the server closed the connection that it was greeted on" : why(got));
  }
}

void Lane::greet(std::string_view input) {
  const Greeted said = welcome_->greeting->on_bytes(input);
  assert(said.consumed <= input.size());
  input_.begin += static_cast<std::uint32_t>(said.consumed);
  switch (said.state) {
    case Greeted::State::need_more:
      if (input_.size() > Greeting::kMaxAnswer)
        return not_greeted("the server's answer to the greeting does not end");
      welcome_->out.copy(loop().pool(), said.send.data(), said.send.size());
      return send_greeting();
    case Greeted::State::ready:
      if (!said.why.empty()) {
        upstream_->note_error(said.why, std::chrono::system_clock::now());
        relay_.say(config::LogLevel::warning, "a backend does not tell of changes", upstream_.get(),
                   said.why);
      }
      come_up(said.tells);
      return loop().again(*this);  // there may be more to read
    case Greeted::State::refused:
      return not_greeted(std::string(said.why), said.lasting);
  }
}

void Lane::send_greeting() {
  Slices& out = welcome_->out;
  while (!out.empty() && !write_blocked_) {
    const std::ptrdiff_t sent = send(out);
    if (sent < 0 && sent != -EAGAIN) return not_greeted(why(sent));
  }
}

// `why` does not lie in what goes with the connection.
void Lane::not_greeted(std::string_view why, bool lasting) {
  const std::string text(why);
  drop_connection();
  if (refusal_ != text) failures_ = 0;  // another reason: to be said
  refusal_ = text;
  lasting_ = lasting;
  round_failed("a backend refuses the connection", refusal_);
}

std::string Lane::why(std::ptrdiff_t negative_errno) const {
  if (std::string tls = transport_.why(); !tls.empty()) return tls;
  return std::strerror(static_cast<int>(-negative_errno));
}

}  // namespace ambassador::proxy::net
