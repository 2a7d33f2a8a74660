// A net::Proxy on a control thread of its own, and blocking clients for it. Tests call it from their thread.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "proxy/net/proxy.hpp"

namespace running {

using namespace ambassador;
using namespace ambassador::proxy;
using namespace std::chrono_literals;

/// Waits until `condition` holds; false after `bound`.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds bound = 5s) {
  const auto end = std::chrono::steady_clock::now() + bound;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

inline std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

inline config::Backend backend(std::string name, std::uint16_t port, std::string host = "127.0.0.1") {
  config::Backend result;
  result.name = std::move(name);
  result.host = std::move(host);
  result.port = port;
  return result;
}

class Proxy {
 public:
  explicit Proxy(net::CoreFactory factory, net::Options options = {}) : thread_([this] { io_.run(); }) {
    options.events = [this](const net::Event& event) {
      std::string line = event.what;
      for (const auto& [key, value] : event.fields) line += " " + std::string(key) + "=" + value;
      const std::lock_guard lock(mutex_);
      events_.push_back(line);
    };
    options.resolve = [this](const std::string& name, std::function<void(Result<net::Resolved>)> done) {
      boost::asio::post(io_, [this, name, done = std::move(done)] {
        ++questions_;
        const auto found = names_.find(name);
        if (found == names_.end()) return done(Error{name, "no such name"});
        done(net::Resolved{found->second, 1s});
      });
    };
    on_control([&] { proxy_ = std::make_unique<net::Proxy>(io_, std::move(options), std::move(factory)); });
  }
  ~Proxy() {
    on_control([&] { proxy_.reset(); });
    work_.reset();
    thread_.join();
  }

  /// When it returns, every worker has taken the document.
  Result<void> apply(const config::Document& document) {
    auto result = on_control([&] { return proxy_->apply(document); });
    list_clients();  // asked of the workers behind it
    return result;
  }
  /// A document with this one listener.
  Result<void> apply(const config::Listener& listener) {
    config::Document document;
    document.listeners = {listener};
    return apply(document);
  }
  net::Snapshot snapshot() {
    return on_control([&] { return proxy_->snapshot(); });
  }
  net::ListenerSnapshot listener() { return snapshot().listeners.front(); }
  net::BackendSnapshot backend(std::size_t i) { return listener().backends.at(i); }
  std::vector<net::ProbeTarget> probe_targets() {
    return on_control([&] { return proxy_->probe_targets(); });
  }
  std::vector<net::ClientSnapshot> list_clients() {
    std::promise<std::vector<net::ClientSnapshot>> promise;
    on_control(
        [&] { proxy_->list_clients(1000, [&](auto clients) { promise.set_value(std::move(clients)); }); });
    return promise.get_future().get();
  }
  std::size_t clients() { return proxy_->clients(); }
  /// When they return, every worker knows.
  Result<void> reload_tls(const std::string& listener) {
    auto result = on_control([&] { return proxy_->reload_tls(listener); });
    list_clients();
    return result;
  }
  void login_changed(const std::string& listener) {
    on_control([&] { proxy_->login_changed(listener); });
    list_clients();
  }
  /// A backend of the first listener is what `standing` says. When it returns, every worker knows.
  void set_standing(std::size_t backend, const Standing& standing) {
    const net::ProbeTarget target = probe_targets().at(backend);
    target.upstream->set_standing(standing, std::chrono::steady_clock::now());
    on_control([&] { proxy_->standing_changed(target.listener); });
    list_clients();
  }
  void begin_drain() {
    on_control([&] { proxy_->begin_drain(); });
  }
  bool pause(const std::string& listener, std::chrono::milliseconds duration) {
    bool done = false;
    on_control([&] { done = proxy_->pause(listener, duration); });
    return done;
  }
  bool resume(const std::string& listener) {
    bool done = false;
    on_control([&] { done = proxy_->resume(listener); });
    return done;
  }
  /// What DNS says from now on; no addresses: no such name.
  void set_name(const std::string& name, const std::vector<std::string>& literals) {
    on_control([&] {
      names_.erase(name);
      for (const auto& literal : literals) names_[name].push_back(*net::Address::ip(literal, 0));
    });
  }
  int questions() {
    return on_control([&] { return questions_; });
  }
  /// All events so far, a line each.
  std::string events() {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const auto& line : events_) all += line + "\n";
    return all;
  }
  bool said(const std::string& text) {
    const std::lock_guard lock(mutex_);
    for (const auto& line : events_) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

 private:
  template <class Work>
  auto on_control(Work work) -> decltype(work()) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    boost::asio::post(io_, [&task] { task(); });
    return result.get();
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
  std::map<std::string, net::Addresses> names_;
  int questions_ = 0;
  std::mutex mutex_;
  std::vector<std::string> events_;
  std::unique_ptr<net::Proxy> proxy_;
};

/// A blocking connection; nothing waits longer than 5 s.
class Client {
 public:
  explicit Client(std::uint16_t port, int family = AF_INET) {
    fd_ = ::socket(family, SOCK_STREAM, 0);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4.sin_port = htons(port);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    v6.sin6_port = htons(port);
    const bool four = family == AF_INET;
    open(four ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6),
         four ? sizeof(v4) : sizeof(v6));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  explicit Client(const std::string& path) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    open(reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  struct Adopted {
    int fd;
  };
  explicit Client(Adopted adopted) : fd_(adopted.fd) {}
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}
  ~Client() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }

  void send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n < 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void end_of_writing() const { ::shutdown(fd_, SHUT_WR); }

  /// The next line without its end; "EOF" when the connection has ended, "TIMEOUT" after `bound`.
  std::string line(std::chrono::milliseconds bound = 5s) {
    for (;;) {
      if (const auto newline = input_.find('\n'); newline != std::string::npos) {
        std::string result = input_.substr(0, newline);
        input_.erase(0, newline + 1);
        return result;
      }
      if (const auto end = more(bound); !end.empty()) return end;
    }
  }
  /// Exactly n bytes, or what came before the end.
  std::string bytes(std::size_t n, std::chrono::milliseconds bound = 5s) {
    while (input_.size() < n && more(bound).empty()) {
    }
    std::string result = input_.substr(0, n);
    input_.erase(0, n);
    return result;
  }
  std::string ask(const std::string& request, std::chrono::milliseconds bound = 5s) {
    send(request + "\n");
    return line(bound);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  void open(const sockaddr* address, socklen_t size) {
    if (::connect(fd_, address, size) != 0) {
      const std::string why = std::strerror(errno);
      close();
      throw std::runtime_error("connect: " + why);
    }
  }
  std::string more(std::chrono::milliseconds bound) {
    pollfd wanted{fd_, POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(bound.count())) <= 0) return "TIMEOUT";
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (n <= 0) return "EOF";
    input_.append(buffer, static_cast<std::size_t>(n));
    return "";
  }

  int fd_ = -1;
  std::string input_;
};

}  // namespace running
