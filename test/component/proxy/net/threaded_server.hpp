// Listens on loopback and serves each connection on a thread of its own: what the servers of the tests' own
// protocols have in common.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

class ThreadedServer {
 public:
  ThreadedServer(const ThreadedServer&) = delete;
  ThreadedServer& operator=(const ThreadedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_; }
  /// Ends all connections; new ones are welcome.
  void cut() {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }

 protected:
  /// `port` 0: a free one.
  explicit ThreadedServer(std::uint16_t port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
    ::listen(listener_, 128);
    socklen_t size = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~ThreadedServer() = default;

  /// One connection, until it returns; the caller closes `fd`.
  virtual void serve(int fd) = 0;
  /// The last line of the derived constructor...
  void start() {
    accepting_ = std::thread([this] { accept(); });
  }
  /// ...and in its destructor, with `let_go`, which ends all waits inside of serve(): ends all connections
  /// and listens no more.
  template <class LetGo>
  void stop(LetGo let_go) {
    if (stopping_.exchange(true)) return;
    let_go();
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    cut();
    for (auto& thread : threads_) thread.join();
  }

  std::mutex mutex_;

 private:
  void accept() {
    while (!stopping_) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) continue;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      ++accepted_;
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      threads_.emplace_back([this, fd] {
        serve(fd);
        const std::lock_guard inner(mutex_);
        open_.erase(fd);
        ::close(fd);
      });
    }
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::atomic<bool> stopping_{false};
  std::thread accepting_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
};
