// TLS on both sides of a pool, with certificates made for the test.
#include <catch2/catch.hpp>
#include <filesystem>

#include "test/component/proxy/certificates.hpp"
#include "toy.hpp"

using namespace toy;

namespace {

struct TlsServer {
  const Certificates certificates{"DNS:db.example"};
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  std::optional<RealServer> server;
  config::Listener listener;

  TlsServer() {
    SSL_CTX_use_certificate_chain_file(context, certificates.path("server.crt").c_str());
    SSL_CTX_use_PrivateKey_file(context, certificates.path("server.key").c_str(), SSL_FILETYPE_PEM);
    server.emplace("s", Behaviour{.role = {}, .refusal = {}, .tls = context});
    listener = listener_for({&*server}, 1);
    listener.backends[0].host = "db.example";
    listener.server_tls = {.mode = config::TlsMode::verify_full,
                           .ca_file = certificates.path("ca.crt"),
                           .certificate_file = {},
                           .key_file = {}};
  }
  ~TlsServer() {
    server.reset();
    SSL_CTX_free(context);
  }
};

/// A client that encrypts.
class TlsGuest {
 public:
  explicit TlsGuest(std::uint16_t port) : client_(port), context_(SSL_CTX_new(TLS_client_method())) {
    answer = client_.ask("TLS");
    if (answer != "OK") return;
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, client_.fd());
    if (SSL_connect(ssl_) != 1) throw std::runtime_error("SSL_connect");
  }
  ~TlsGuest() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsGuest(const TlsGuest&) = delete;
  TlsGuest& operator=(const TlsGuest&) = delete;
  void send(std::string_view text) {
    while (!text.empty()) {
      const int n = SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
      if (n <= 0) throw std::runtime_error("SSL_write");
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  std::string bytes(std::size_t n) {
    char buffer[16384];
    while (input_.size() < n) {
      const int got = SSL_read(ssl_, buffer, sizeof(buffer));
      if (got <= 0) break;
      input_.append(buffer, static_cast<std::size_t>(got));
    }
    std::string result = input_.substr(0, n);
    input_.erase(0, n);
    return result;
  }
  std::string line() {
    std::string result;
    for (;;) {
      const std::string one = bytes(1);
      if (one.empty()) return "EOF";
      if (one == "\n") return result;
      result += one;
    }
  }
  std::string answer;

 private:
  Client client_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  std::string input_;
};

/// What makes every listener show the server's certificate.
net::Options with_certificate(const Certificates& certificates) {
  const auto source =
      tls::Source::from_files(certificates.path("server.crt"), certificates.path("server.key"));
  REQUIRE(source);
  net::Options options;
  options.certificate =
      [source = *source](const config::Listener& /*listener*/) -> Result<std::shared_ptr<const tls::Source>> {
    return std::shared_ptr<const tls::Source>(source);
  };
  return options;
}

}  // namespace

TEST_CASE("a server is believed by its CA and its name") {
  TlsServer one;
  running::Proxy proxy(core());
  proxy.set_name("db.example", {"127.0.0.1"});
  proxy.set_name("other.example", {"127.0.0.1"});
  SECTION("both right") {
    REQUIRE(proxy.apply(one.listener));
    Guest a(one.listener.port);
    CHECK(a.query("one") == "R s:one");
  }
  SECTION("another name") {
    one.listener.backends[0].host = "other.example";
    REQUIRE(proxy.apply(one.listener));
    Guest a(one.listener.port);
    CHECK(a.query("one").starts_with("! failed"));
    CHECK(proxy.said("hostname mismatch"));
    CHECK(one.server->logins() == 0);
    one.listener.server_tls.mode = config::TlsMode::verify_ca;
    REQUIRE(proxy.apply(one.listener));
    CHECK(a.query("two") == "R s:two");
  }
  SECTION("another CA") {
    one.listener.server_tls.ca_file = one.certificates.path("stranger.crt");
    REQUIRE(proxy.apply(one.listener));
    Guest a(one.listener.port);
    CHECK(a.query("one").starts_with("! failed"));
    CHECK(one.server->logins() == 0);
    one.listener.server_tls.mode = config::TlsMode::require;
    REQUIRE(proxy.apply(one.listener));
    CHECK(a.query("two") == "R s:two");
  }
  SECTION("no CA") {
    one.listener.server_tls.ca_file = one.certificates.path("none.crt");
    const auto applied = proxy.apply(one.listener);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().text().find("none.crt") != std::string::npos);
  }
}

TEST_CASE("files that have changed are taken for new connections, and wrong ones are not") {
  TlsServer one;
  const std::string ca = one.certificates.path("current.crt");
  const auto becomes = [&](const std::string& file) {
    std::filesystem::copy_file(one.certificates.path(file), ca,
                               std::filesystem::copy_options::overwrite_existing);
  };
  becomes("ca.crt");
  one.listener.server_tls.ca_file = ca;
  // What a Secret need not have.
  one.listener.server_tls.certificate_file = one.certificates.path("tls.crt");
  one.listener.server_tls.key_file = one.certificates.path("tls.key");
  running::Proxy proxy(core());
  proxy.set_name("db.example", {"127.0.0.1"});
  REQUIRE(proxy.apply(one.listener));
  Guest a(one.listener.port);
  REQUIRE(a.query("one") == "R s:one");

  becomes("ca.key");
  const auto refused = proxy.reload_tls("toy");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text().find(ca) != std::string::npos);
  CHECK(a.query("two") == "R s:two");
  CHECK(one.server->logins() == 1);

  becomes("stranger.crt");
  REQUIRE(proxy.reload_tls("toy"));
  CHECK(a.query("three").starts_with("! failed"));
  becomes("ca.crt");
  REQUIRE(proxy.reload_tls("toy"));
  CHECK(a.query("four") == "R s:four");
  CHECK(one.server->logins() == 2);

  SECTION("half of a certificate is a mistake") {
    std::filesystem::copy_file(one.certificates.path("server.crt"), one.certificates.path("tls.crt"));
    const auto half = proxy.reload_tls("toy");
    REQUIRE_FALSE(half);
    CHECK(half.error().text().find("tls.key") != std::string::npos);
    std::filesystem::copy_file(one.certificates.path("server.key"), one.certificates.path("tls.key"));
    CHECK(proxy.reload_tls("toy"));
    CHECK(a.query("five") == "R s:five");
  }
}

TEST_CASE("a client is interrupted over TLS when its server is encrypted") {
  TlsServer one;
  running::Proxy proxy(core());
  proxy.set_name("db.example", {"127.0.0.1"});
  REQUIRE(proxy.apply(one.listener));
  Guest a(one.listener.port);
  a.send("Q hold\n");
  CHECK(eventually([&] { return one.server->holding() == 1; }));
  Client(one.listener.port).ask("CANCEL " + a.name.substr(a.name.find(' ') + 1));
  CHECK(a.line() == "R cancelled");
  CHECK(a.line() == "Z I");
  CHECK(a.query("next") == "R s:next");
}

TEST_CASE("clients encrypt where the listener has a certificate, and much data comes through both ways") {
  TlsServer one;
  running::Proxy proxy(core(), with_certificate(one.certificates));
  proxy.set_name("db.example", {"127.0.0.1"});
  REQUIRE(proxy.apply(one.listener));
  TlsGuest a(one.listener.port);
  REQUIRE(a.answer == "OK");
  a.send("LOGIN k\n");
  CHECK(a.line().starts_with("hello"));
  constexpr std::size_t kBytes = 100'000'000;
  a.send("Q large " + std::to_string(kBytes) + "\n");
  CHECK(a.line() == "D " + std::to_string(kBytes));
  for (std::size_t got = 0; got < kBytes; got += 1'000'000) {
    REQUIRE(a.bytes(1'000'000) == std::string(1'000'000, 'x'));
  }
  CHECK(a.line() == "Z I");
  a.send("P " + std::to_string(kBytes) + "\n");
  const std::string piece(1'000'000, 'y');
  for (std::size_t sent = 0; sent < kBytes; sent += piece.size()) a.send(piece);
  CHECK(a.line() == "R sum " + std::to_string(kBytes * std::size_t{'y'}));
  CHECK(a.line() == "Z I");
  Guest plain(one.listener.port);
  CHECK(plain.query("plain") == "R s:plain");
}

TEST_CASE("a client that asks for TLS in vain, or sends something behind its wish, learns it") {
  OneServer one(1);
  CHECK(TlsGuest(one.listener.port).answer == "NO");
  TlsServer other;
  running::Proxy proxy(core(), with_certificate(other.certificates));
  one.listener.port = free_port();
  REQUIRE(proxy.apply(one.listener));
  Client smuggler(one.listener.port);
  smuggler.send("TLS\nLOGIN k\n");
  CHECK(eventually([&] { return proxy.listener().clients_broken == 1; }));
}
