// A real redis-server, and a client that speaks just enough RESP to ask it, or the proxy in front of it.
#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "test/component/proxy/app/process.hpp"

/// One connection; every call ends within some seconds.
class RedisClient {
 public:
  explicit RedisClient(std::uint16_t port) : fd_(connect_to(port)) { connected_ = fd_ >= 0; }
  /// Over TLS, to who has a certificate by the CA in that file.
  RedisClient(std::uint16_t port, const std::string& ca_file) : RedisClient(port) {
    const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                               SSL_CTX_free);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    REQUIRE(SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) == 1);
    tls_.reset(SSL_new(context.get()));
    SSL_set_fd(tls_.get(), fd_);
    connected_ = connected_ && SSL_connect(tls_.get()) == 1;
  }
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
    send_raw(request);
  }
  void send_raw(const std::string& bytes) {
    connected_ = connected_ && put(bytes) == static_cast<ssize_t>(bytes.size());
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
  /// All bytes that come until the connection ends.
  std::string receive_rest() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
  }

 private:
  [[nodiscard]] ssize_t put(const std::string& bytes) const {
    if (tls_) return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  ssize_t get(char* at, std::size_t n) const {
    if (tls_) return SSL_read(tls_.get(), at, static_cast<int>(n));
    return recv(fd_, at, n, 0);
  }
  bool fill() {
    char bytes[4096];
    const auto got = connected_ ? get(bytes, sizeof bytes) : -1;
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
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, SSL_free};
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
  /// It answers nobody any more; its sockets stay open.
  void freeze() const { process_->signal(SIGSTOP); }
  void thaw() const { process_->signal(SIGCONT); }

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
