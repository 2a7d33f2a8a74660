#include "operator/admission/listener.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "common/log/log.hpp"

namespace ambassador::admission {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

http::Limits listener_limits() {
  http::Limits limits;
  limits.header_bytes = std::size_t{16} * 1024;
  // A Pod has at most 1.5 MiB in etcd; in a review it stands once, at most twice, escaped.
  limits.body_bytes = std::size_t{8} * 1024 * 1024;
  limits.header_timeout = std::chrono::seconds(5);
  limits.body_timeout = std::chrono::seconds(10);
  // The API server closes its idle connections after 90 s. It must be the first: a request that meets our
  // closing is an admission that failed, because a POST is not sent again.
  limits.idle_timeout = std::chrono::seconds(120);
  limits.handler_timeout = std::chrono::seconds(10);
  limits.write_timeout = std::chrono::seconds(10);
  limits.max_connections = 1024;
  return limits;
}

namespace {
constexpr std::chrono::seconds kBeat{1};
}

class Listener::Impl {
 public:
  Impl(http::Handler handler, http::Limits limits)
      : handler_(std::move(handler)),
        limits_(limits),
        work_(asio::make_work_guard(io_)),
        timer_(io_),
        beaten_(Clock::now().time_since_epoch().count()) {
    beat();
    for (unsigned i = 0; i < kListenerThreads; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      server_.reset();
    }
    work_.reset();
    io_.stop();
  }

  Result<std::uint16_t> open(std::uint16_t port, std::shared_ptr<const tls::Source> certificate) {
    const std::lock_guard lock(mutex_);
    server_ = std::make_unique<http::Server>(io_, handler_, limits_, std::move(certificate));
    auto both = server_->listen("::", port);
    if (both.ok()) return both;
    auto only_ipv4 = server_->listen("0.0.0.0", port);  // a host without IPv6
    if (only_ipv4.ok()) return only_ipv4;
    server_.reset();
    return both;
  }

  bool is_open() const {
    const std::lock_guard lock(mutex_);
    return server_ != nullptr;
  }
  bool alive() const { return Clock::now() - Clock::time_point(Clock::duration(beaten_.load())) < kHangs; }

  void begin_drain() {
    const std::lock_guard lock(mutex_);
    if (server_) server_->begin_drain();
  }

  void close(std::chrono::milliseconds grace) {
    const auto closed = std::make_shared<std::promise<void>>();
    {
      const std::lock_guard lock(mutex_);
      if (!server_) return;
      server_->stop(grace, [closed] { closed->set_value(); });
    }
    // Beyond the grace everything is closed by force, which takes a moment.
    const auto limit = grace + std::chrono::seconds(2);
    if (closed->get_future().wait_for(limit) != std::future_status::ready) {
      log::warning("webhook not closed in time", {{"waited", limit}});
    }
  }

  http::Counts counts() const {
    const std::lock_guard lock(mutex_);
    return server_ ? server_->counts() : http::Counts{};
  }

 private:
  void beat() {
    beaten_ = Clock::now().time_since_epoch().count();
    timer_.expires_after(kBeat);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) beat();
    });
  }

  const http::Handler handler_;
  const http::Limits limits_;
  mutable std::mutex mutex_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer timer_;
  std::atomic<Clock::rep> beaten_;
  std::unique_ptr<http::Server> server_;
  std::vector<std::jthread> threads_;
};

Listener::Listener(http::Handler handler, http::Limits limits)
    : impl_(std::make_unique<Impl>(std::move(handler), limits)) {}
Listener::~Listener() = default;
Result<std::uint16_t> Listener::open(std::uint16_t port, std::shared_ptr<const tls::Source> certificate) {
  return impl_->open(port, std::move(certificate));
}
bool Listener::is_open() const {
  return impl_->is_open();
}
bool Listener::alive() const {
  return impl_->alive();
}
void Listener::begin_drain() {
  impl_->begin_drain();
}
void Listener::close(std::chrono::milliseconds grace) {
  impl_->close(grace);
}
http::Counts Listener::counts() const {
  return impl_->counts();
}

}  // namespace ambassador::admission
