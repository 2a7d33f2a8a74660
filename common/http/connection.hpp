// Makes the connections of a server. Inside of common/http.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "common/http/hub.hpp"

namespace ambassador::http {

/// `socket` has a strand of its own as executor. TLS when the hub has a source.
std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<Hub> hub);

}  // namespace ambassador::http
