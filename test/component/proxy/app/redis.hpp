// A real redis-server, and a client that speaks just enough RESP to ask it, or the proxy in front of it.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "test/component/proxy/app/process.hpp"

/// One connection; every call ends within some seconds.
class RedisClient {
 public:
  explicit RedisClient(std::uint16_t port) : fd_(connect_to(port)) { connected_ = fd_ >= 0; }
  ~RedisClient() { close(fd_); }
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  /// The reply: "OK", "-ERR ...", ":3" without its sign, a bulk string's text, "(nil)"; "(closed)" when the
  /// connection ended or nothing came in time. Of an aggregate its elements: "*[a b]", "%[key value]",
  /// "~[a]", ">[message channel text]".
  std::string ask(const std::vector<std::string>& words) {
    send(words);
    return receive();
  }
  void send(const std::vector<std::string>& words) { send_at_once({words}); }
  /// A pipeline, in one piece.
  void send_at_once(const std::vector<std::vector<std::string>>& commands) {
    std::string request;
    for (const auto& words : commands) {
      request += "*" + std::to_string(words.size()) + "\r\n";
      for (const std::string& word : words)
        request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    connected_ = connected_ && ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) ==
                                   static_cast<ssize_t>(request.size());
  }
  std::string receive() {
    const std::string line = take_line();
    if (line.empty()) return "(closed)";
    if (line[0] == '-') return line;
    if (line[0] == '_') return "(nil)";
    if (line == "*-1") return "(nil)";
    if (line[0] == '*' || line[0] == '%' || line[0] == '~' || line[0] == '>') {
      std::string all{line[0], '['};
      const long elements = std::stol(line.substr(1)) * (line[0] == '%' ? 2 : 1);
      for (long i = 0; i < elements && connected_; ++i) all += (i > 0 ? " " : "") + receive();
      return all + "]";
    }
    if (line[0] != '$' && line[0] != '=') return line.substr(1);
    const long size = std::stol(line.substr(1));
    if (size < 0) return "(nil)";
    while (buffer_.size() < static_cast<std::size_t>(size) + 2) {
      if (!fill()) return "(closed)";
    }
    const std::string text = buffer_.substr(0, static_cast<std::size_t>(size));
    buffer_.erase(0, static_cast<std::size_t>(size) + 2);
    return text;
  }

 private:
  bool fill() {
    char bytes[4096];
    const auto got = connected_ ? recv(fd_, bytes, sizeof bytes, 0) : -1;
    if (got <= 0) return connected_ = false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  std::string take_line() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!fill()) return "";
    }
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
  }

  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

class RedisServer {
 public:
  /// `more`: further arguments. With --tls-port nobody speaks plain text there: it is not waited for.
  explicit RedisServer(std::uint16_t port = free_port(), std::vector<std::string> more = {})
      : port_(port), more_(std::move(more)) {
    start();
  }

  void start() {
    std::vector<std::string> arguments{"redis-server",
                                       "--port",
                                       std::to_string(port_),
                                       "--bind",
                                       "127.0.0.1",
                                       "--save",
                                       "",
                                       "--appendonly",
                                       "no",
                                       "--dir",
                                       folder_.file("."),
                                       "--repl-diskless-sync-delay",  // nobody else will follow it
                                       "0"};
    arguments.insert(arguments.end(), more_.begin(), more_.end());
    process_ = std::make_unique<Process>(arguments);
    REQUIRE(eventually([this] { return RedisClient(port_).connected(); }));
    if (std::ranges::count(more_, "--tls-port") > 0) return;
    REQUIRE(eventually([this] {
      const std::string reply = RedisClient(port_).ask({"PING"});
      return reply == "PONG" || reply.starts_with("-NOAUTH");
    }));
  }
  void stop() { process_.reset(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  /// A field of INFO; "": it has none of that name.
  [[nodiscard]] std::string info(const std::string& section, const std::string& field) const {
    const std::string all = RedisClient(port_).ask({"INFO", section});
    const auto at = all.find("\n" + field + ":");
    if (at == std::string::npos) return "";
    const auto begin = at + field.size() + 2;
    return all.substr(begin, all.find('\r', begin) - begin);
  }
  /// Returns when it has what `primary` has.
  void follow(const RedisServer& primary) const {
    REQUIRE(RedisClient(port_).ask({"REPLICAOF", "127.0.0.1", std::to_string(primary.port())}) == "OK");
    REQUIRE(eventually([&] { return info("replication", "master_link_status") == "up"; }));
  }
  void promote() const { REQUIRE(RedisClient(port_).ask({"REPLICAOF", "NO", "ONE"}) == "OK"); }
  [[nodiscard]] int keys() const { return std::stoi(RedisClient(port_).ask({"DBSIZE"})); }

 private:
  std::uint16_t port_;
  std::vector<std::string> more_;
  Folder folder_;  // a replica puts there what it gets
  std::unique_ptr<Process> process_;
};
