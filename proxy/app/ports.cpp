#include "proxy/app/ports.hpp"

#include <utility>

namespace ambassador::proxy::app {
namespace {

/// Probes, a scraper and a person or two: what they send is short, and there are few of them.
http::Limits small_limits() {
  http::Limits limits;
  limits.header_bytes = std::size_t{8} * 1024;
  limits.body_bytes = 1024;
  limits.max_connections = 64;
  return limits;
}

}  // namespace

Ports::Ports(boost::asio::io_context& control, http::Handler health, http::Handler admin)
    : control_(control), health_handler_(std::move(health)), admin_handler_(std::move(admin)) {}

Result<Ports::Port> Ports::open(const http::Handler& handler, const std::string& address,
                                std::uint16_t number) {
  Port port{address, number, nullptr};
  if (number == 0) {
    return port;
  }
  port.server = std::make_unique<http::Server>(control_, handler, small_limits());
  Result<std::uint16_t> bound = port.server->listen(address, number);
  if (!bound && address == "::") {  // a node without IPv6
    bound = port.server->listen("0.0.0.0", number);
  }
  if (!bound) {
    return bound.error();
  }
  if (address == "127.0.0.1") {
    (void)port.server->listen("::1", number);  // where the host has it
  }
  return port;
}

Result<void> Ports::apply(const config::Document& document) {
  const bool new_health =
      document.health_address != health_.address || document.health_port != health_.number;
  const bool new_admin = document.admin_port != admin_.number;
  Port health;
  Port admin;
  if (new_health) {
    Result<Port> opened = open(health_handler_, document.health_address, document.health_port);
    if (!opened) {
      return Error{"health.port", opened.error().text() + "; give another port, or 0 for none"};
    }
    health = std::move(opened).value();
  }
  if (new_admin) {
    Result<Port> opened = open(admin_handler_, "127.0.0.1", document.admin_port);
    if (!opened) {
      return Error{"admin.port", opened.error().text() + "; give another port, or 0 for none"};
    }
    admin = std::move(opened).value();
  }
  if (new_health) health_ = std::move(health);
  if (new_admin) admin_ = std::move(admin);
  return {};
}

void Ports::close() {
  health_.server.reset();
  admin_.server.reset();
}

}  // namespace ambassador::proxy::app
