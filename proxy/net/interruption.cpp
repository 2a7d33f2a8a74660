#include "proxy/net/interruption.hpp"

#include <cerrno>
#include <cstring>

#include "proxy/net/pooled_relay.hpp"
#include "proxy/net/server_connection.hpp"

namespace ambassador::proxy::net {

Interruption::Interruption(PooledRelay& relay, ServerConnection& server, std::shared_ptr<const Socket> asker)
    : relay_(relay),
      server_(&server),
      asker_(std::move(asker)),
      generation_(server.generation()),
      upstream_(server.upstream()),
      address_(server.address()),
      text_(server.protocol().interruption()),
      wire_(relay.loop(), *this) {
  if (server.wire().encrypted())
    opening_ = generation_->pooled->new_server(server.key(), server.alone_for() != nullptr);
}

Interruption::~Interruption() {
  close();
}

Loop& Interruption::loop() const {
  return relay_.loop();
}

void Interruption::start() {
  until_ = loop().now() + ServerConnection::kPrepareTimes * relay_.timeouts().connect;
  loop().deadlines().no_later_than(*this, until_);
  connecting_ = Socket::stream(address_.family());
  const int error = connecting_ ? connecting_.connect(address_) : errno;
  if ((error == 0 || error == EINPROGRESS) && loop().poller().add(connecting_, *this, true)) return;
  connecting_.close();
  loop().again(*this);  // not here: who interrupts is not ready to be told of the end
}

void Interruption::on_ready(std::uint32_t events) {
  if (over_) return;
  if (!wire_.is_open()) {
    if (const int error = connecting_.error(); error != 0) return over(std::strerror(error));
    if ((events & EPOLLOUT) != 0) connected();
    return;
  }
  if (wire_.told(events)) loop().flush_lane_later(*this);
  if (wire_.shaking()) return shake();
  read();
}

void Interruption::connected() {
  if (!wire_.open(std::move(connecting_), true)) return over("the poller takes no more sockets");
  if (opening_) return open_tls();
  send();
}

void Interruption::send() {
  sent_ = true;
  wire_.out.copy(loop().pool(), text_.data(), text_.size());
  loop().flush_lane_later(*this);
}

// As far as a new connection goes before its login.
void Interruption::open_tls() {
  for (;;) {
    const Step step = opening_->on_bytes(wire_.input());
    wire_.consume(step.consumed);
    switch (step.kind) {
      case Step::Kind::send:
        wire_.out.copy(loop().pool(), step.text.data(), step.text.size());
        loop().flush_lane_later(*this);
        break;
      case Step::Kind::need_more:
        if (wire_.input().size() > generation_->pooled->max_head()) over("the server does not stop talking");
        return;
      case Step::Kind::start_tls: {
        if (!generation_->tls || !wire_.input().empty()) return over("TLS can't be begun");
        auto tls = generation_->tls->connection(upstream_->backend().host);
        if (!tls) return over("TLS can't be set up for this host");
        wire_.start_tls(std::move(tls));
        opening_.reset();
        return shake();
      }
      default:
        return over("the server does not encrypt this connection");
    }
  }
}

void Interruption::shake() {
  switch (wire_.shake()) {
    case Transport::Handshake::pending:
      return;
    case Transport::Handshake::failed:
      return over(wire_.why(0));
    case Transport::Handshake::done:
      return send();
  }
}

void Interruption::read() {
  if (over_) return;
  if (!wire_.is_open()) {
    if (!connecting_) return over("no socket is to be had");
    return;
  }
  while (wire_.readable() && !over_ && !wire_.shaking()) {
    const std::ptrdiff_t got = wire_.receive();
    if (got == -EAGAIN) return;
    if (got <= 0) return over(sent_ ? std::string() : wire_.why(got == 0 ? -ECONNRESET : got));
    if (sent_) {
      wire_.consume(wire_.input().size());  // nothing that it says matters now
    } else {
      open_tls();
    }
  }
}

void Interruption::flush() {
  if (over_ || !wire_.is_open()) return;
  if (const std::ptrdiff_t sent = wire_.flush(); sent < 0) over(wire_.why(sent));
}

void Interruption::on_deadline(SteadyTime now) {
  if (over_) return;
  if (now < until_) return loop().deadlines().no_later_than(*this, until_);
  over("the server took too long");
}

void Interruption::close() {
  over_ = true;
  if (connecting_) {
    loop().poller().remove(connecting_, *this);
    connecting_.close();
  }
  wire_.close();
  loop().deadlines().cancel(*this);
}

void Interruption::over(std::string_view why) {
  if (!why.empty())
    relay_.say(config::LogLevel::warning, "could not interrupt a backend", upstream_.get(), why);
  close();
  relay_.interruption_over(*this);
}

}  // namespace ambassador::proxy::net
