// Carries out the steps of a PooledServer on a blocking socket, as the relay does on many.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/session/pooled.hpp"
#include "test/component/proxy/app/process.hpp"

/// One connection; every receive ends within some seconds.
class Connection {
 public:
  using Step = ambassador::proxy::Step;
  using Side = ambassador::proxy::Side;

  explicit Connection(std::uint16_t port) : fd_(connect_to(port)) { REQUIRE(fd_ >= 0); }
  ~Connection() {
    SSL_free(tls_);
    SSL_CTX_free(context_);
    close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Carries out steps until ready or failed; `text` is what failed said.
  struct Outcome {
    Step::Kind kind = Step::Kind::need_more;
    bool passing = false;
    std::string text;
  };
  Outcome run(ambassador::proxy::PooledServer& server) {
    for (;;) {
      const Step step = server.on_bytes({input_.data(), input_.size()});
      input_.erase(0, step.consumed);
      for (auto more = step.more; more > 0; --more) {
        if (input_.empty() && !receive()) return {};
        input_.erase(0, 1);
      }
      switch (step.kind) {
        case Step::Kind::need_more:
          if (!receive()) return {};
          break;
        case Step::Kind::skip:
          break;
        case Step::Kind::send:
          send(step.text);
          break;
        case Step::Kind::start_tls:
          server.tls_started(start_tls());
          break;
        default:
          return {step.kind, step.passing, std::string(step.text)};
      }
    }
  }

  /// Has the server connection believe this of the server's certificate.
  void claim_end_point(std::string hash) { claimed_ = std::move(hash); }

  void send(std::string_view text) {
    const auto size = static_cast<int>(text.size());
    const auto sent = tls_ != nullptr ? SSL_write(tls_, text.data(), size)
                                      : static_cast<int>(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL));
    REQUIRE(sent == size);
  }
  /// More bytes came; false: the connection ended, or nothing came in time.
  bool receive() {
    std::array<char, 4096> bytes{};
    const auto got = tls_ != nullptr ? SSL_read(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                     : static_cast<int>(recv(fd_, bytes.data(), bytes.size(), 0));
    if (got > 0) input_.append(bytes.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
  /// What was received and not consumed.
  std::string& input() { return input_; }

 private:
  ambassador::proxy::TlsPeer start_tls() {
    context_ = SSL_CTX_new(TLS_client_method());
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, fd_);
    REQUIRE(SSL_connect(tls_) == 1);
    // Tests sign with SHA-256, for which RFC 5929 takes SHA-256.
    X509* certificate = SSL_get1_peer_certificate(tls_);
    REQUIRE(certificate != nullptr);
    std::array<unsigned char, 32> hash{};
    X509_digest(certificate, EVP_sha256(), hash.data(), nullptr);
    X509_free(certificate);
    if (claimed_) return {*claimed_};
    return {std::string(hash.begin(), hash.end())};
  }

  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* tls_ = nullptr;
  std::string input_;
  std::optional<std::string> claimed_;
};
