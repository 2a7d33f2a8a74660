#include "proxy/net/tls_server.hpp"

#include <boost/asio/ssl/context.hpp>

namespace ambassador::proxy::net {

std::unique_ptr<SSL, void (*)(SSL*)> tls_for_client(boost::asio::ssl::context& context) {
  std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context.native_handle()), SSL_free);
  if (tls) SSL_set_accept_state(tls.get());
  return tls;
}

}  // namespace ambassador::proxy::net
