// A lane per client: bytes in both directions as they come, each end of the stream relayed by itself.
#include <catch2/catch.hpp>
#include <random>

#include "cores.hpp"
#include "line_server.hpp"

using namespace running;

namespace {

/// Listens; the test is the server.
class Listening {
 public:
  explicit Listening(std::uint16_t port = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const int on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("bind");
    ::listen(fd_, 16);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Listening() { ::close(fd_); }
  [[nodiscard]] Client accept() const { return Client(Client::Adopted{::accept(fd_, nullptr, nullptr)}); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

struct OneServer {
  Listening server;
  config::Listener listener = listener_named("pipe", config::Protocol::tcp, {backend("one", server.port())});
  running::Proxy proxy{cores()};
  OneServer() {
    if (!proxy.apply(listener)) throw std::runtime_error("apply");
  }
};

}  // namespace

TEST_CASE("bytes go both ways, and the server may speak first") {
  OneServer one;
  Client client(one.listener.port);
  Client server = one.server.accept();
  server.send("welcome\n");
  CHECK(client.line() == "welcome");
  client.send("hello\n");
  CHECK(server.line() == "hello");
  server.send("again\n");
  CHECK(client.line() == "again");
}

TEST_CASE("the end of one direction leaves the other open") {
  SECTION("the client ends first") {
    OneServer one;
    Client client(one.listener.port);
    Client server = one.server.accept();
    client.send("all there is\n");
    client.end_of_writing();
    CHECK(server.line() == "all there is");
    CHECK(server.line() == "EOF");
    server.send("the answer\n");
    CHECK(client.line() == "the answer");
    server.close();
    CHECK(client.line() == "EOF");
  }
  SECTION("the server ends first") {
    OneServer one;
    Client client(one.listener.port);
    Client server = one.server.accept();
    server.send("goodbye\n");
    server.end_of_writing();
    CHECK(client.line() == "goodbye");
    CHECK(client.line() == "EOF");
    client.send("still here\n");
    CHECK(server.line() == "still here");
    client.close();
    CHECK(server.line() == "EOF");
  }
  SECTION("the client ends before anything was connected") {
    const std::uint16_t port = free_port();
    auto listener = listener_named("pipe", config::Protocol::tcp, {backend("late", port)});
    running::Proxy proxy(cores());
    REQUIRE(proxy.apply(listener));
    Client client(listener.port);
    client.send("early\n");
    client.end_of_writing();
    CHECK(client.line(200ms) == "TIMEOUT");
    Listening listening(port);
    Client server = listening.accept();
    CHECK(server.line() == "early");
    CHECK(server.line() == "EOF");
    server.send("late\n");
    server.close();
    CHECK(client.line() == "late");
    CHECK(client.line() == "EOF");
  }
}

TEST_CASE("a client that vanishes takes its lane with it, and a server that vanishes its client") {
  OneServer one;
  Client a(one.listener.port);
  Client server_a = one.server.accept();
  a.reset();
  CHECK(server_a.line() == "EOF");
  Client b(one.listener.port);
  Client server_b = one.server.accept();
  b.send("up\n");
  CHECK(server_b.line() == "up");  // a reset before would be a connection that was never made
  server_b.reset();
  CHECK(b.line() == "EOF");
  CHECK(eventually([&] { return one.proxy.clients() == 0; }));
  CHECK(one.proxy.backend(0).lanes_open == 0);
}

TEST_CASE("much data both ways at once arrives whole, in bounded memory, at the reader's pace") {
  OneServer one;
  Client client(one.listener.port);
  Client server = one.server.accept();
  constexpr std::size_t kBytes = 40'000'000;
  const std::string pattern = [] {
    std::string text;
    std::mt19937 random(3);
    for (int i = 0; i < 1'000'000; ++i) text.push_back(static_cast<char>(random()));
    return text;
  }();
  const auto write = [&](Client& to) {
    for (std::size_t sent = 0; sent < kBytes; sent += pattern.size()) to.send(pattern);
  };
  const auto read = [&](Client& from) {
    for (std::size_t got = 0; got < kBytes; got += pattern.size()) {
      if (from.bytes(pattern.size(), 20s) != pattern) return false;
    }
    return true;
  };
  std::thread up([&] { write(client); });
  std::thread down([&] { write(server); });
  std::this_thread::sleep_for(200ms);  // nobody reads yet: what is buffered must stop growing
  CHECK(one.proxy.snapshot().buffered_bytes < 4'000'000);
  bool client_read = false;
  std::thread reader([&] { client_read = read(client); });
  CHECK(read(server));
  reader.join();
  up.join();
  down.join();
  CHECK(client_read);
  CHECK(eventually([&] { return one.proxy.snapshot().buffered_bytes == 0; }));
}

TEST_CASE("clients go to the backend with the fewest connections, and past one that is down") {
  Listening a, b;
  const std::uint16_t dead = free_port();
  auto listener = listener_named("pipe", config::Protocol::tcp,
                                 {backend("a", a.port()), backend("b", b.port()), backend("dead", dead)});
  running::Proxy proxy(cores());
  REQUIRE(proxy.apply(listener));
  std::vector<Client> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(listener.port);
    const std::size_t up = static_cast<std::size_t>(i) + 1;
    CHECK(eventually([&] { return proxy.backend(0).lanes_open + proxy.backend(1).lanes_open == up; }));
  }
  CHECK(proxy.backend(0).lanes_open == 4);
  CHECK(proxy.backend(1).lanes_open == 4);
  CHECK_FALSE(proxy.backend(2).usable);
}

TEST_CASE("a client waits for a backend for timeouts.queue and is then closed") {
  auto listener = listener_named("pipe", config::Protocol::tcp, {backend("dead", free_port())});
  listener.timeouts.queue = 400ms;
  running::Proxy proxy(cores());
  REQUIRE(proxy.apply(listener));
  const auto since = std::chrono::steady_clock::now();
  Client client(listener.port);
  CHECK(client.line() == "EOF");
  const auto waited = std::chrono::steady_clock::now() - since;
  CHECK(waited >= 390ms);
  CHECK(waited < 2s);

  listener.backends.clear();
  REQUIRE(proxy.apply(listener));
  Client none(listener.port);
  CHECK(none.line() == "EOF");
}

TEST_CASE("a reload leaves connections alone, those to a removed backend too") {
  OneServer one;
  Client client(one.listener.port);
  Client server = one.server.accept();
  client.send("before\n");
  CHECK(server.line() == "before");
  Listening other;
  one.listener.backends = {backend("other", other.port())};
  REQUIRE(one.proxy.apply(one.listener));
  client.send("after\n");
  CHECK(server.line() == "after");
  Client fresh(one.listener.port);
  Client fresh_server = other.accept();
  fresh.send("new\n");
  CHECK(fresh_server.line() == "new");
}
