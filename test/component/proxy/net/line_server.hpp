// A server of the line protocol (line_core.hpp) that misbehaves when a request says so. One thread per
// connection, ended with the object. "get KEY ..." is answered "NAME:get KEY ...", and with these words in
// it:
//   !large N   a line of N bytes            !half      half a reply, then the connection ends
//   !close     the connection ends          !garbage   what is no reply
//   !hold      nothing until release()      !extra     a reply and another one that nobody asked for
//   !news      news, the reply, and the beginning of more news
// "hello KIND" is answered "welcome", or what answer_hello() was told. "put KEY N" is answered "NAME:put KEY
// N SUM" with the sum of the bytes.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <numeric>
#include <string>
#include <utility>

#include "test/component/proxy/net/threaded_server.hpp"

namespace line {

class Server final : public ThreadedServer {
 public:
  /// `port` 0: a free one.
  explicit Server(std::string name, std::uint16_t port = 0) : ThreadedServer(port), name_(std::move(name)) {
    start();
  }
  ~Server() { stop(); }

  [[nodiscard]] int requests() const { return requests_; }
  /// Lets every request that was held, and all that will be, be answered.
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  /// From now on "hello KIND" gets that line; empty: no answer.
  void answer_hello(std::string line) {
    const std::lock_guard lock(mutex_);
    to_hello_ = std::move(line);
  }
  /// The greetings and requests so far, in their order for each connection.
  [[nodiscard]] std::vector<std::string> heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  /// Ends all connections and listens no more.
  void stop() {
    ThreadedServer::stop([this] { release(); });
  }

 private:
  static bool send(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  void serve(int fd) override {
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
        {
          const std::lock_guard lock(mutex_);
          heard_.push_back(request);
        }
        if (request.starts_with("hello ")) {
          if (!greet(fd)) return;
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

  bool greet(int fd) {
    std::string line;
    {
      const std::lock_guard lock(mutex_);
      line = to_hello_;
    }
    return line.empty() || send(fd, line + "\n");
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
    if (request.find("!news") != std::string::npos) {
      return send(fd, ">one\n") && send(fd, reply + ">two\n>thr") && send(fd, "ee\n");
    }
    if (request.find("!extra") != std::string::npos) return send(fd, reply + "unasked\n");
    return send(fd, reply);
  }

  const std::string name_;
  std::string to_hello_ = "welcome";
  std::vector<std::string> heard_;
  std::atomic<int> requests_{0};
  std::condition_variable changed_;
  bool released_ = false;
};

}  // namespace line
