// A server of the toy protocol (toy_core.hpp), one thread per connection, ended with the object. "Q <words>":
//   begin / commit    open and end a unit of work        pid    the connection's number
//   hold              nothing until release() or CANCEL  die    the connection ends
//   large <n>         n bytes                            else   the words, behind the server's name
// "P <n>" is answered with the sum of the n bytes.
#pragma once

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "test/component/proxy/net/threaded_server.hpp"

namespace toy {

struct Behaviour {
  /// "primary", "replica", with a term ("primary 7") or not, with a position ("replica at 100") or not; or
  /// nothing is said.
  std::string role;
  std::string refusal;  // what a LOGIN is answered with, "ERR final ..." or "ERR passing ..."
  SSL_CTX* tls = nullptr;
};

class RealServer final : public ThreadedServer {
 public:
  explicit RealServer(std::string name, Behaviour behaviour = {}, std::uint16_t port = 0)
      : ThreadedServer(port), name_(std::move(name)), behaviour_(std::move(behaviour)) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own sockets raise it
    start();
  }
  ~RealServer() { stop(); }

  [[nodiscard]] int logins() const { return logins_; }
  [[nodiscard]] int resets() const { return resets_; }
  [[nodiscard]] int cancels() const { return cancels_; }
  [[nodiscard]] int most_open() const { return most_open_; }
  [[nodiscard]] int questions() const { return questions_; }
  [[nodiscard]] int quits() const { return quits_; }
  [[nodiscard]] int holding() const { return holding_; }
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  /// The connections of cancels stay open until this is called.
  void keep_cancels_open() { keep_cancels_ = true; }
  void end_cancels() {
    const std::lock_guard lock(mutex_);
    keep_cancels_ = false;
    changed_.notify_all();
  }
  void behave(Behaviour behaviour) {
    const std::lock_guard lock(mutex_);
    behaviour_ = std::move(behaviour);
  }
  void stop() {
    ThreadedServer::stop([this] {
      release();
      end_cancels();
    });
  }

 private:
  struct Connection {
    int fd;
    SSL* ssl = nullptr;
    int pid = 0;
    std::string input{};
    bool in_unit = false;

    bool more() {
      char buffer[65536];
      const ssize_t n =
          ssl != nullptr ? SSL_read(ssl, buffer, sizeof(buffer)) : ::recv(fd, buffer, sizeof(buffer), 0);
      if (n <= 0) return false;
      input.append(buffer, static_cast<std::size_t>(n));
      return true;
    }
    bool line(std::string& out) {
      std::size_t newline = 0;
      while ((newline = input.find('\n')) == std::string::npos) {
        if (!more()) return false;
      }
      out = input.substr(0, newline);
      input.erase(0, newline + 1);
      return true;
    }
    bool send(std::string_view text) const {
      while (!text.empty()) {
        const ssize_t n = ssl != nullptr ? SSL_write(ssl, text.data(), static_cast<int>(text.size()))
                                         : ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
      }
      return true;
    }
    bool done() const { return send(in_unit ? "Z T\n" : "Z I\n"); }
  };

  void serve(int fd) override {
    Connection connection{fd};
    serve(connection);
    if (connection.ssl != nullptr) SSL_free(connection.ssl);
  }

  void serve(Connection& c) {
    std::string line;
    while (c.line(line)) {
      if (line == "TLS") {
        SSL_CTX* context = behaviour().tls;
        if (context == nullptr || !c.send("OK\n")) return;
        c.ssl = SSL_new(context);
        SSL_set_fd(c.ssl, c.fd);
        if (SSL_accept(c.ssl) != 1) return;
      } else if (line.starts_with("LOGIN ")) {
        if (!login(c)) return;
        serve_logged_in(c);
        --open_now_;
        return;
      } else if (line.starts_with("CANCEL ")) {
        return cancel(std::stoi(line.substr(7)));
      } else {
        return;
      }
    }
  }

  Behaviour behaviour() {
    const std::lock_guard lock(mutex_);
    return behaviour_;
  }

  bool login(Connection& c) {
    ++logins_;
    const Behaviour now = behaviour();
    if (!now.refusal.empty()) return c.send(now.refusal + "\n"), false;
    c.pid = ++last_pid_;
    const int open = ++open_now_;
    for (int most = most_open_; open > most && !most_open_.compare_exchange_weak(most, open);) {
    }
    if (!now.role.empty() && !c.send("ROLE " + now.role + "\n")) return false;
    return c.send("OK " + std::to_string(c.pid) + "\n");
  }

  void serve_logged_in(Connection& c) {
    std::string line;
    while (c.line(line)) {
      if (line == "QUIT") {
        ++quits_;
        return;
      }
      if (line == "STANDING") {
        ++questions_;
        if (!c.send("ROLE " + behaviour().role + "\n")) return;
      } else if (line == "RESET") {
        ++resets_;
        c.in_unit = false;
        if (!c.send("RESET OK\n")) return;
      } else if (line.starts_with("P ")) {
        if (!take(c, std::stoull(line.substr(2)))) return;
      } else if (line.starts_with("Q ")) {
        if (!answer(c, line.substr(2))) return;
      }
    }
  }

  bool take(Connection& c, std::uint64_t n) const {
    std::uint64_t sum = 0;
    while (n > 0) {
      if (c.input.empty() && !c.more()) return false;
      const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(n, c.input.size()));
      for (std::size_t i = 0; i < part; ++i) sum += static_cast<unsigned char>(c.input[i]);
      c.input.erase(0, part);
      n -= part;
    }
    return c.send("R sum " + std::to_string(sum) + "\n") && c.done();
  }

  bool answer(Connection& c, const std::string& words) {
    if (words == "die") return false;
    if (words == "begin") c.in_unit = true;
    if (words == "commit") c.in_unit = false;
    std::string reply = "R " + name_ + ":" + words + "\n";
    if (words == "pid") reply = "R " + std::to_string(c.pid) + "\n";
    if (words.ends_with("hold")) {
      std::unique_lock lock(mutex_);
      ++holding_;
      changed_.wait(lock, [&] { return released_ || cancelled_.contains(c.pid); });
      --holding_;
      if (cancelled_.erase(c.pid) > 0) reply = "R cancelled\n";
    }
    if (words.starts_with("large ")) {
      const std::uint64_t n = std::stoull(words.substr(6));
      if (!c.send("D " + std::to_string(n) + "\n")) return false;
      const std::string piece(1'000'000, 'x');
      for (std::uint64_t sent = 0; sent < n; sent += piece.size()) {
        if (!c.send(std::string_view(piece).substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), n - sent)))))
          return false;
      }
      return c.done();
    }
    return c.send(reply) && c.done();
  }

  void cancel(int pid) {
    std::unique_lock lock(mutex_);
    ++cancels_;
    cancelled_.insert(pid);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !keep_cancels_; });
  }

  const std::string name_;
  std::atomic<int> logins_{0}, resets_{0}, cancels_{0}, last_pid_{0}, open_now_{0}, most_open_{0}, quits_{0};
  std::atomic<int> holding_{0}, questions_{0};
  std::condition_variable changed_;
  Behaviour behaviour_;
  bool released_ = false;
  std::atomic<bool> keep_cancels_{false};
  std::set<int> cancelled_;
};

}  // namespace toy
