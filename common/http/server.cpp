#include "common/http/server.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/http/connection.hpp"
#include "common/log/log.hpp"

namespace ambassador::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

/// Out of descriptors or memory: nothing is accepted for this long, instead of spinning.
constexpr std::chrono::milliseconds kAcceptPause{100};

bool exhausted(error_code error) {
  namespace errc = boost::system::errc;
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::not_enough_memory || error == errc::no_buffer_space;
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(asio::io_context& io, Handler handler, Limits limits, std::shared_ptr<const tls::Source> tls)
      : io_(io), tls_(std::move(tls)), shared_(std::make_shared<Shared>()), grace_(io) {
    shared_->handler = std::move(handler);
    shared_->limits = limits;
  }

  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port) {
    error_code error;
    asio::ip::address ip = asio::ip::make_address(address, error);
    if (error) {
      return Error{address, "is not an IP address; give a literal such as 127.0.0.1 or ::"};
    }
    auto acceptor = std::make_shared<Acceptor>(io_);
    acceptor->socket.open(ip.is_v6() ? tcp::v6() : tcp::v4(), error);
    if (error == asio::error::address_family_not_supported && ip == asio::ip::address_v6::any()) {
      ip = asio::ip::address_v4::any();  // a host without IPv6: every address it has is IPv4
      acceptor->socket.open(tcp::v4(), error);
    }
    if (!error && ip.is_v6()) {
      acceptor->socket.set_option(asio::ip::v6_only(!ip.is_unspecified()), error);
    }
    if (!error) {
      acceptor->socket.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
      acceptor->socket.bind({ip, port}, error);
    }
    if (!error) {
      acceptor->socket.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      return Error{address + " port " + std::to_string(port), "cannot listen: " + error.message()};
    }
    const std::uint16_t bound = acceptor->socket.local_endpoint().port();
    {
      const std::lock_guard lock(mutex_);
      acceptors_.push_back(acceptor);
    }
    accept(acceptor);
    return bound;
  }

  void begin_drain() { shared_->draining = true; }

  void stop(std::chrono::milliseconds grace, std::function<void()> done) {
    shared_->draining = true;
    close_acceptors();
    const auto open = [&] {
      const std::lock_guard lock(mutex_);
      done_ = std::move(done);
      stopping_ = true;
      return connections();
    }();
    for (const auto& connection : open) {
      connection->drain();
    }
    grace_.expires_after(grace);
    grace_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) {
        self->close_all();
      }
    });
    tell_if_done();
  }

  void abort() {
    shared_->stopped = true;
    close_acceptors();
    close_all();
    asio::post(io_, [self = shared_from_this()] { self->grace_.cancel(); });
  }

  Counts counts() const {
    Counts counts;
    {
      const std::lock_guard lock(mutex_);
      counts = counts_;
      counts.open = connections_.size();
    }
    counts.handshake_failures = shared_->handshake_failures;
    counts.requests = shared_->requests;
    counts.malformed = shared_->malformed;
    counts.too_large = shared_->too_large;
    counts.too_slow = shared_->too_slow;
    return counts;
  }

 private:
  struct Acceptor {
    explicit Acceptor(asio::io_context& io) : strand(asio::make_strand(io)), socket(strand), pause(strand) {}
    asio::strand<asio::io_context::executor_type> strand;
    tcp::acceptor socket;
    asio::steady_timer pause;
  };

  void accept(const std::shared_ptr<Acceptor>& acceptor) {
    acceptor->socket.async_accept(
        asio::make_strand(io_), [self = shared_from_this(), acceptor](error_code error, tcp::socket socket) {
          if (!acceptor->socket.is_open()) {
            return;
          }
          if (exhausted(error)) {
            self->pause(acceptor);
            return;
          }
          if (!error) {
            self->admit(std::move(socket));
          }
          self->accept(acceptor);
        });
  }

  void pause(const std::shared_ptr<Acceptor>& acceptor) {
    {
      const std::lock_guard lock(mutex_);
      ++counts_.accept_pauses;
    }
    log::warning("accepting paused: out of descriptors or memory", {{"pause_seconds", kAcceptPause}});
    acceptor->pause.expires_after(kAcceptPause);
    acceptor->pause.async_wait([self = shared_from_this(), acceptor](error_code error) {
      if (!error && acceptor->socket.is_open()) {
        self->accept(acceptor);
      }
    });
  }

  void admit(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::shared_ptr<Connection> connection;
    std::shared_ptr<Connection> evicted;
    {
      const std::lock_guard lock(mutex_);
      ++counts_.accepted;
      if (connections_.size() >= shared_->limits.max_connections) {
        ++counts_.evicted;
        evicted = longest_waiting();
        if (!evicted) {
          return;  // all are busy: the new one is closed by going out of scope
        }
        connections_.erase(evicted.get());
      }
      if (stopping_) {
        return;
      }
      // The registry's key is known only once the connection is made: it finds it through this.
      auto key = std::make_shared<Connection*>(nullptr);
      connection = make_connection(std::move(socket), shared_, tls_.get(), [weak = weak_from_this(), key] {
        if (const auto self = weak.lock()) {
          self->forget(*key);
        }
      });
      *key = connection.get();
      connections_.emplace(connection.get(), connection);
    }
    if (evicted) {
      evicted->close();
    }
    connection->start();
  }

  // mutex_ held.
  std::shared_ptr<Connection> longest_waiting() const {
    std::shared_ptr<Connection> found;
    std::int64_t since = 0;
    for (const auto& [key, weak] : connections_) {
      const auto connection = weak.lock();
      const std::int64_t waiting = connection ? connection->waiting_since() : 0;
      if (waiting != 0 && (!found || waiting < since)) {
        found = connection;
        since = waiting;
      }
    }
    return found;
  }

  // mutex_ held.
  std::vector<std::shared_ptr<Connection>> connections() const {
    std::vector<std::shared_ptr<Connection>> open;
    for (const auto& [key, weak] : connections_) {
      if (auto connection = weak.lock()) {
        open.push_back(std::move(connection));
      }
    }
    return open;
  }

  void forget(Connection* connection) {
    {
      const std::lock_guard lock(mutex_);
      connections_.erase(connection);
    }
    tell_if_done();
  }

  void tell_if_done() {
    std::function<void()> done;
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_ || !connections_.empty()) {
        return;
      }
      done = std::exchange(done_, {});
    }
    asio::post(io_, [self = shared_from_this(), done = std::move(done)] {
      self->grace_.cancel();
      if (done) {
        done();
      }
    });
  }

  void close_acceptors() {
    std::vector<std::shared_ptr<Acceptor>> closing;
    {
      const std::lock_guard lock(mutex_);
      closing = std::move(acceptors_);
      acceptors_.clear();
    }
    for (const auto& acceptor : closing) {
      asio::post(acceptor->strand, [acceptor] {
        error_code ignored;
        acceptor->socket.close(ignored);
        acceptor->pause.cancel();
      });
    }
  }

  void close_all() {
    const auto open = [this] {
      const std::lock_guard lock(mutex_);
      return connections();
    }();
    for (const auto& connection : open) {
      connection->close();
    }
  }

  asio::io_context& io_;
  std::shared_ptr<const tls::Source> tls_;
  std::shared_ptr<Shared> shared_;
  asio::steady_timer grace_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections_;
  std::function<void()> done_;
  Counts counts_;
  bool stopping_ = false;
};

Server::Server(asio::io_context& io, Handler handler, Limits limits, std::shared_ptr<const tls::Source> tls)
    : impl_(std::make_shared<Impl>(io, std::move(handler), limits, std::move(tls))) {}

Server::~Server() {
  impl_->abort();
}

Result<std::uint16_t> Server::listen(const std::string& address, std::uint16_t port) {
  return impl_->listen(address, port);
}

void Server::begin_drain() {
  impl_->begin_drain();
}

void Server::stop(std::chrono::milliseconds grace, std::function<void()> done) {
  impl_->stop(grace, std::move(done));
}

Counts Server::counts() const {
  return impl_->counts();
}

}  // namespace ambassador::http
