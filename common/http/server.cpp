#include "common/http/server.hpp"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "common/http/connection.hpp"
#include "common/http/hub.hpp"

namespace ambassador::http {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// Out of descriptors or memory: waiting a little is all one can do, and a tight loop would burn the CPU.
constexpr std::chrono::milliseconds kAcceptPause{100};

/// One bound address, accepting on a strand of its own.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  explicit Acceptor(std::shared_ptr<Hub> hub)
      : hub_(std::move(hub)), acceptor_(asio::make_strand(hub_->io)), pause_(acceptor_.get_executor()) {}

  Result<std::uint16_t> bind(const std::string& address, std::uint16_t port) {
    const std::string where = address + ":" + std::to_string(port);
    error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (error)
      return Error{where, "'" + address + "' is not an IP address; give one such as 127.0.0.1 or ::"};
    const tcp::endpoint endpoint(ip, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && ip.is_v6()) acceptor_.set_option(asio::ip::v6_only(!ip.is_unspecified()), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return Error{where, "cannot be listened on: " + error.message()};
    return acceptor_.local_endpoint().port();
  }

  void start() {
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] { self->accept(); });
  }
  void close() {
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
    });
  }

 private:
  void accept() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_accept(asio::make_strand(hub_->io),
                           [self = shared_from_this()](error_code error, tcp::socket socket) {
                             if (!self->acceptor_.is_open()) return;
                             if (error) return self->accept_failed(error);
                             self->take(std::move(socket));
                             self->accept();
                           });
  }

  void take(tcp::socket socket) {
    const auto connection = make_connection(std::move(socket), hub_);
    if (hub_->admit(connection)) connection->start();
  }

  void accept_failed(error_code error) {
    if (error == asio::error::connection_aborted) return accept();  // the client went before we came
    ++hub_->counters.accept_pauses;
    hub_->evict_one();
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](error_code) { self->accept(); });
  }

  const std::shared_ptr<Hub> hub_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(asio::io_context& io, Handler handler, Limits limits, std::shared_ptr<const tls::Source> tls)
      : hub(std::make_shared<Hub>(io, std::move(handler), limits, std::move(tls))) {}

  void close_acceptors() {
    const std::lock_guard lock(mutex);
    for (const auto& acceptor : acceptors) acceptor->close();
    acceptors.clear();
  }

  const std::shared_ptr<Hub> hub;
  std::mutex mutex;
  std::list<std::shared_ptr<Acceptor>> acceptors;
};

Server::Server(asio::io_context& io, Handler handler, Limits limits, std::shared_ptr<const tls::Source> tls)
    : impl_(std::make_shared<Impl>(io, std::move(handler), limits, std::move(tls))) {}

Server::~Server() {
  impl_->hub->closed = true;
  impl_->close_acceptors();
  impl_->hub->close_all();
}

Result<std::uint16_t> Server::listen(const std::string& address, std::uint16_t port) {
  auto acceptor = std::make_shared<Acceptor>(impl_->hub);
  auto bound = acceptor->bind(address, port);
  if (!bound) return bound;
  acceptor->start();
  const std::lock_guard lock(impl_->mutex);
  impl_->acceptors.push_back(std::move(acceptor));
  return bound;
}

void Server::begin_drain() {
  impl_->hub->drain();
}

void Server::stop(std::chrono::milliseconds grace, std::function<void()> done) {
  impl_->close_acceptors();
  const auto hub = impl_->hub;
  auto timer = std::make_shared<asio::steady_timer>(hub->io, grace);
  timer->async_wait([hub, timer](error_code error) {
    if (!error) hub->close_all();
  });
  hub->stop([timer, done = std::move(done)] {
    timer->cancel();
    if (done) done();
  });
}

Counts Server::counts() const {
  const auto& c = impl_->hub->counters;
  return {c.accepted,  c.evicted,   c.accept_pauses, c.handshake_failures, c.requests,
          c.malformed, c.too_large, c.too_slow,      impl_->hub->open()};
}

}  // namespace ambassador::http
