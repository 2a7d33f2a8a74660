// The health and admin ports as the configuration says, opened anew only when it says something else.
//
// Threads: the control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "common/config/document.hpp"
#include "common/http/server.hpp"
#include "common/result/result.hpp"

namespace ambassador::proxy::app {

class Ports {
 public:
  Ports(boost::asio::io_context& control, http::Handler health, http::Handler admin);

  /// On an Error (a port that is taken) the ports that were open stay as they were.
  Result<void> apply(const config::Document& document);
  void close();

 private:
  struct Port {
    std::string address;
    std::uint16_t number = 0;
    std::unique_ptr<http::Server> server;
  };
  Result<Port> open(const http::Handler& handler, const std::string& address, std::uint16_t number);

  boost::asio::io_context& control_;
  http::Handler health_handler_;
  http::Handler admin_handler_;
  Port health_;
  Port admin_;
};

}  // namespace ambassador::proxy::app
