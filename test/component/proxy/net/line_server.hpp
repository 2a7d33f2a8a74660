// A server of the line protocol (line_core.hpp) that misbehaves when a request says so. One thread per
// connection, ended with the object. "get KEY ..." is answered "NAME:get KEY ...", and with these words in
// it:
//   !large N   a line of N bytes            !half      half a reply, then the connection ends
//   !close     the connection ends          !garbage   what is no reply
//   !hold      nothing until release()      !extra     a reply and another one that nobody asked for
// "put KEY N" is answered "NAME:put KEY N SUM" with the sum of the bytes.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace line {

class Server {
 public:
  /// `port` 0: a free one.
  explicit Server(std::string name, std::uint16_t port = 0) : name_(std::move(name)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
    }
    ::listen(listener_, 128);
    socklen_t size = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept(); });
  }
  ~Server() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_; }
  [[nodiscard]] int requests() const { return requests_; }
  /// Lets every request that was held, and all that will be, be answered.
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  /// Ends all connections and listens no more.
  void stop() {
    if (stopping_.exchange(true)) return;
    release();
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    cut();
    for (auto& thread : threads_) thread.join();
  }
  /// Ends all connections; new ones are welcome.
  void cut() {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }

 private:
  void accept() {
    while (!stopping_) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) continue;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      ++accepted_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        serve(fd);
        const std::lock_guard inner(mutex_);
        std::erase(open_, fd);
        ::close(fd);
      });
    }
  }

  static bool send(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  void serve(int fd) {
    std::string input;
    char buffer[16384];
    for (;;) {
      for (;;) {
        const auto newline = input.find('\n');
        if (newline == std::string::npos) break;
        const std::string request = input.substr(0, newline);
        input.erase(0, newline + 1);
        if (request.starts_with("put ")) {
          const auto n = static_cast<std::size_t>(std::stoull(request.substr(request.rfind(' ') + 1)));
          while (input.size() < n) {
            const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
            if (got <= 0) return;
            input.append(buffer, static_cast<std::size_t>(got));
          }
          const auto sum =
              std::accumulate(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(n), 0UL,
                              [](unsigned long s, char c) { return s + static_cast<unsigned char>(c); });
          input.erase(0, n);
          ++requests_;
          if (!send(fd, name_ + ":" + request + " " + std::to_string(sum) + "\n")) return;
          continue;
        }
        ++requests_;
        if (!answer(fd, request)) return;
      }
      const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
      if (got <= 0) return;
      input.append(buffer, static_cast<std::size_t>(got));
    }
  }

  bool answer(int fd, const std::string& request) {
    std::string reply = name_ + ":" + request + "\n";
    if (const auto at = request.find("!large "); at != std::string::npos) {
      reply = std::string(static_cast<std::size_t>(std::stoull(request.substr(at + 7))) - 1, 'x') + "\n";
    }
    if (request.find("!hold") != std::string::npos) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return released_; });
    }
    if (request.find("!close") != std::string::npos) return false;
    if (request.find("!half") != std::string::npos) {
      send(fd, reply.substr(0, reply.size() / 2));
      return false;
    }
    if (request.find("!garbage") != std::string::npos) return send(fd, "\x01\x02\x03\n");
    if (request.find("!extra") != std::string::npos) return send(fd, reply + "unasked\n");
    return send(fd, reply);
  }

  const std::string name_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0}, requests_{0};
  std::atomic<bool> stopping_{false};
  std::thread accepting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
};

}  // namespace line
