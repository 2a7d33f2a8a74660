// TLS for clients who begin with it. Their first byte says so: a ClientHello's record begins with 22 (RFC
// 8446, 5.1), with which no message begins of a protocol whose listeners may have a certificate.
#include "proxy/net/client.hpp"
#include "proxy/net/relay.hpp"
#include "proxy/net/tls_server.hpp"

namespace ambassador::proxy::net {
namespace {

constexpr char kHandshakeRecord = 22;

}  // namespace

bool Client::greets_with_tls() {
  char first = 0;
  const std::ptrdiff_t got = transport_.socket().peek(first);
  if (got > 0) unheard_ = false;
  return got > 0 && first == kHandshakeRecord;
}

void Client::start_tls() {
  const auto context = generation_->certificate->current();
  certificate_ = context;
  Transport::Tls tls = tls_for_client(*context);
  if (!tls) return close();
  transport_.start(std::move(tls));
  shaken_by_ = loop().now() + kHandshakeMost;
  set_deadline();
  shake();
}

void Client::shake() {
  switch (transport_.handshake()) {
    case Transport::Handshake::pending:
      if (transport_.wants_writing()) loop().poller().want_writing(transport_.socket(), *this, true);
      return;
    case Transport::Handshake::failed:
      return broken(transport_.why().c_str());
    case Transport::Handshake::done:
      break;
  }
  shaken_by_ = SteadyTime::max();
  readable_ = true;  // it may have received more than the handshake
  read();
}

}  // namespace ambassador::proxy::net
