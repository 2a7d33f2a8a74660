// How the proxy speaks TLS to clients: what begins one connection's. Used by Client and PooledClient.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace boost::asio::ssl {
class context;
}

namespace ambassador::proxy::net {

/// For one client's connection, ready for the handshake; null: out of memory. `context` has to live as long.
[[nodiscard]] std::unique_ptr<SSL, void (*)(SSL*)> tls_for_client(boost::asio::ssl::context& context);

}  // namespace ambassador::proxy::net
