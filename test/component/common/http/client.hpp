// A blocking client for tests that sends any bytes, over TCP or TLS, and never waits for ever.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>

class Client {
 public:
  explicit Client(std::uint16_t port, bool tls = false, int seconds = 10) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{seconds, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("connect");
    if (!tls) return;
    context_ = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    if (SSL_connect(ssl_) != 1) throw std::runtime_error("handshake");
  }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    if (fd_ >= 0) close(fd_);
  }
  Client(Client&& other) noexcept : fd_(other.fd_), context_(other.context_), ssl_(other.ssl_) {
    other.fd_ = -1;
    other.context_ = nullptr;
    other.ssl_ = nullptr;
  }
  Client& operator=(Client&&) = delete;

  /// False when the server has closed.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                        : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// What comes next; empty when the server has closed or patience ran out.
  std::string receive() {
    char bytes[16384];
    const auto got =
        ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
    return got <= 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(got));
  }
  /// Everything up to the server's close.
  std::string receive_all() {
    std::string all;
    for (std::string some = receive(); !some.empty(); some = receive()) all += some;
    return all;
  }
  /// One response with Content-Length.
  std::string response(bool head = false) {
    std::string all;
    while (true) {
      const auto end = all.find("\r\n\r\n");
      if (end != std::string::npos) {
        const auto at = all.find("Content-Length: ");
        const std::size_t body = head || at > end ? 0 : std::stoul(all.substr(at + 16));
        if (all.size() >= end + 4 + body) return all;
      }
      const std::string some = receive();
      if (some.empty()) return all;
      all += some;
    }
  }
  std::string get(const std::string& target, const std::string& headers = "") {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    return response();
  }
  [[nodiscard]] SSL* ssl() { return ssl_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
};
