// Many clients on shared lanes: every reply reaches the client that is waiting for it, in its order, whatever
// happens to connections.
#include <catch2/catch.hpp>
#include <random>

#include "cores.hpp"
#include "line_server.hpp"
#include "running.hpp"

using namespace running;

namespace {

config::Listener listener_for(const std::vector<line::Server*>& servers) {
  std::vector<config::Backend> backends;
  for (std::size_t i = 0; i < servers.size(); ++i)
    backends.push_back(backend("s" + std::to_string(i), servers[i]->port()));
  return listener_named("lines", config::Protocol::redis, std::move(backends));
}

/// Two servers, "s0" and "s1": keys that end in an even digit belong to s0.
struct TwoServers {
  line::Server s0{"s0"}, s1{"s1"};
  config::Listener listener = listener_for({&s0, &s1});
  running::Proxy proxy;
  explicit TwoServers(net::Options options = {}) : proxy(cores(), options) {
    const auto applied = proxy.apply(listener);
    if (!applied) throw std::runtime_error(applied.error().text());
  }
};

}  // namespace

TEST_CASE("each key's request reaches its backend and the reply comes back") {
  TwoServers two;
  Client client(two.listener.port);
  CHECK(client.ask("get 0") == "s0:get 0");
  CHECK(client.ask("get 1") == "s1:get 1");
  CHECK(client.ask("local hello") == "hello");
  CHECK(client.ask("all x") == "s0:get x|s1:get x");
  CHECK(client.ask("bye") == "bye");
  CHECK(client.line() == "EOF");
}

TEST_CASE("replies keep the order of requests when one backend is slower than the other") {
  TwoServers two;
  Client client(two.listener.port);
  client.send("get 0 !hold\nget 1\nlocal here\nall y\nget 3\n");
  CHECK(client.line(100ms) == "TIMEOUT");
  CHECK(eventually([&] { return two.s1.requests() == 3; }));
  two.s0.release();
  CHECK(client.line() == "s0:get 0 !hold");
  CHECK(client.line() == "s1:get 1");
  CHECK(client.line() == "here");
  CHECK(client.line() == "s0:get y|s1:get y");
  CHECK(client.line() == "s1:get 3");
}

TEST_CASE("what is answered does not wait for what a slower backend has to say behind it") {
  TwoServers two;
  Client client(two.listener.port);
  client.send("get 0\nget 1 !hold\nget 2\nall y\n");
  CHECK(client.line() == "s0:get 0");
  CHECK(client.line(100ms) == "TIMEOUT");
  two.s1.release();
  CHECK(client.line() == "s1:get 1 !hold");
  CHECK(client.line() == "s0:get 2");
  CHECK(client.line() == "s0:get y|s1:get y");
}

TEST_CASE("forty clients that pipeline in random pieces get their own replies in order") {
  for (const unsigned workers : {1U, 3U}) {
    net::Options options;
    options.workers = workers;
    TwoServers two(options);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int c = 0; c < 40; ++c) {
      threads.emplace_back([&, c] {
        std::mt19937 random(static_cast<unsigned>(c) + 7);
        Client client(two.listener.port);
        std::vector<std::string> expected;
        std::string bytes;
        for (int i = 0; i < 300; ++i) {
          const std::string id = std::to_string(c) + "-" + std::to_string(random() % 1000);
          switch (random() % 8) {
            case 0:
              bytes += "local " + id + "\n", expected.push_back(id);
              break;
            case 1:
              bytes += "all " + id + "\n";
              expected.push_back("s0:get " + id + "|s1:get " + id);
              break;
            case 2: {
              const std::size_t n = random() % 3 == 0 ? random() % 200000 : random() % 100;
              bytes += "put " + id + " " + std::to_string(n) + "\n" + std::string(n, 'a');
              const char* server = (id.back() - '0') % 2 == 0 ? "s0" : "s1";
              expected.push_back(std::string(server) + ":put " + id + " " + std::to_string(n) + " " +
                                 std::to_string(n * 'a'));
              break;
            }
            default: {
              const char* server = (id.back() - '0') % 2 == 0 ? "s0" : "s1";
              bytes += "get " + id + "\n";
              expected.push_back(std::string(server) + ":get " + id);
            }
          }
        }
        std::thread sender([&] {
          for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t n = std::min(bytes.size() - at, std::size_t{1} + random() % 40000);
            client.send(std::string_view(bytes).substr(at, n));
            at += n;
          }
        });
        for (const std::string& line : expected) {
          if (client.line(20s) != line) ++wrong;
        }
        sender.join();
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(eventually([&] { return two.proxy.snapshot().buffered_bytes == 0; }));
    CHECK(two.proxy.listener().requests == 40 * 300);
    CHECK(two.proxy.listener().replies == 40 * 300);
    CHECK(two.proxy.backend(0).owed == 0);
  }
}

TEST_CASE("a lane that is lost fails what was sent and nothing else") {
  TwoServers two;
  Client a(two.listener.port);
  Client b(two.listener.port);
  a.send("get 0 !close\nget 1\nget 2\n");
  // Whether the third was sent before the connection ended is a race: both are right, a foreign reply is not.
  CHECK(a.line() == "-lost s0");
  CHECK(a.line() == "s1:get 1");
  const std::string third = a.line();
  CHECK((third == "-lost s0" || third == "s0:get 2"));
  CHECK(b.ask("get 4") == "s0:get 4");
  CHECK(a.ask("get 6") == "s0:get 6");
  CHECK(two.proxy.backend(0).lanes_lost == 1);
  CHECK(two.proxy.backend(0).connects == 2);
}

TEST_CASE("half a reply and then nothing closes the client that read it, and only that one") {
  TwoServers two;
  Client a(two.listener.port);
  Client b(two.listener.port);
  a.send("get 0 !half\n");
  CHECK(a.line() == "EOF");
  CHECK(b.ask("get 0") == "s0:get 0");
}

TEST_CASE("a failed part of a gathered request is named, the others answered") {
  TwoServers two;
  Client client(two.listener.port);
  CHECK(client.ask("get 0") == "s0:get 0");
  two.s1.stop();
  two.listener.timeouts.queue = 300ms;
  REQUIRE(two.proxy.apply(two.listener));
  CHECK(client.ask("all z") == "s0:get z|-unreachable s1");
}

TEST_CASE("what a server sends unasked, or against the protocol, reaches nobody") {
  for (const std::string word : {"!garbage", "!extra"}) {
    TwoServers two;
    Client a(two.listener.port);
    Client b(two.listener.port);
    const std::string reply = a.ask("get 0 " + word);
    CHECK((reply == "-lost s0" || reply == "s0:get 0 !extra"));
    CHECK(eventually([&] { return two.proxy.backend(0).lanes_lost == 1; }));
    CHECK(b.ask("get 2") == "s0:get 2");
    CHECK(a.ask("get 4") == "s0:get 4");
  }
}

TEST_CASE("a client that leaves with replies owed disturbs no one") {
  TwoServers two;
  Client stays(two.listener.port);
  CHECK(stays.ask("get 0") == "s0:get 0");
  for (int i = 0; i < 20; ++i) {
    Client leaves(two.listener.port);
    leaves.send("get 0 a\nget 1 b\nall c\nget 0 !large 100000\n");
    if (i % 2 == 0) leaves.reset();
    stays.send("get 2\nget 3\n");
    CHECK(stays.line() == "s0:get 2");
    CHECK(stays.line() == "s1:get 3");
  }
  CHECK(eventually([&] { return two.proxy.clients() == 1; }));
  CHECK(eventually([&] { return two.proxy.backend(0).owed == 0; }));
  CHECK(two.proxy.backend(0).lanes_lost == 0);
}

TEST_CASE("a client that has sent its last request still gets every reply") {
  TwoServers two;
  Client client(two.listener.port);
  client.send("get 0 !hold\nget 1\n");
  client.end_of_writing();
  CHECK(client.line(100ms) == "TIMEOUT");
  two.s0.release();
  CHECK(client.line() == "s0:get 0 !hold");
  CHECK(client.line() == "s1:get 1");
  CHECK(client.line() == "EOF");
}

TEST_CASE("requests wait for a backend that starts late, and fail when it does not") {
  const std::uint16_t port = free_port();
  config::Listener listener;
  listener.name = "lines.late";
  listener.protocol = config::Protocol::redis;
  listener.port = free_port();
  listener.backends = {backend("late", port)};
  listener.timeouts.queue = 2s;
  running::Proxy proxy(cores());
  REQUIRE(proxy.apply(listener));
  Client client(listener.port);
  client.send("get 0\nget 1\n");
  CHECK(client.line(300ms) == "TIMEOUT");
  {
    line::Server server("late", port);
    CHECK(client.line(1500ms) == "late:get 0");
    CHECK(client.line() == "late:get 1");
  }
  const auto since = std::chrono::steady_clock::now();
  CHECK(client.ask("get 2") == "-unreachable late");
  const auto waited = std::chrono::steady_clock::now() - since;
  CHECK(waited >= 1900ms);
  CHECK(waited < 3500ms);
  CHECK(proxy.said("a backend can't be reached listener=lines.late backend=late"));
}

TEST_CASE("a backend that restarts is used again at once") {
  auto server = std::make_unique<line::Server>("a");
  const std::uint16_t port = server->port();
  running::Proxy proxy(cores());
  auto listener = listener_for({server.get()});
  REQUIRE(proxy.apply(listener));
  Client client(listener.port);
  CHECK(client.ask("get 0") == "a:get 0");
  server.reset();
  client.send("get 1\n");
  std::this_thread::sleep_for(300ms);  // a restart takes its time
  line::Server again("b", port);
  CHECK(client.line(1500ms) == "b:get 1");
}

TEST_CASE("without any backend a request is refused, not dropped") {
  running::Proxy proxy(cores());
  const auto listener = listener_for({});
  REQUIRE(proxy.apply(listener));
  Client client(listener.port);
  CHECK(client.ask("get 0") == "-no_backend ");
  CHECK(client.ask("local on") == "on");
}

TEST_CASE("a client that does not read is closed, and others hardly notice") {
  TwoServers two;
  Client slow(two.listener.port);
  Client other(two.listener.port);
  for (int i = 0; i < 20; ++i) slow.send("get 0 !large 1000000\n");
  const auto since = std::chrono::steady_clock::now();
  CHECK(other.ask("get 0") == "s0:get 0");
  CHECK(std::chrono::steady_clock::now() - since < 3s);
  CHECK(eventually([&] { return two.proxy.listener().clients_slow == 1; }));
  CHECK(two.proxy.said("closed a client that does not read its replies"));
  CHECK(eventually([&] { return two.proxy.clients() == 1; }));
  CHECK(eventually([&] { return two.proxy.snapshot().buffered_bytes < 100'000; }));
}

TEST_CASE("a large reply goes through at the reader's pace, in bounded memory") {
  TwoServers two;
  Client client(two.listener.port);
  client.send("get 0 !large 60000000\n");
  std::uint64_t most = 0;
  std::size_t got = 0;
  while (got < 60'000'000) {
    const std::string piece = client.bytes(std::min<std::size_t>(1'000'000, 60'000'000 - got));
    if (piece.empty()) break;
    got += piece.size();
    most = std::max(most, two.proxy.snapshot().buffered_bytes);
  }
  CHECK(got == 60'000'000);
  CHECK(most < 8'000'000);
  CHECK(client.ask("get 1") == "s1:get 1");
}

TEST_CASE("a large request that stalls, or whose client leaves, holds up nobody") {
  TwoServers two;
  Client stalls(two.listener.port);
  Client other(two.listener.port);
  stalls.send("get 0\nput 0 500000\n" + std::string(100'000, 'b'));
  CHECK(stalls.line() == "s0:get 0");
  for (int i = 0; i < 50; ++i) CHECK(other.ask("get 0") == "s0:get 0");
  stalls.send(std::string(400'000, 'b') + "get 2\n");
  CHECK(stalls.line() == "s0:put 0 500000 " + std::to_string(500000UL * 'b'));
  CHECK(stalls.line() == "s0:get 2");
  {
    Client leaves(two.listener.port);
    leaves.send("put 0 500000\n" + std::string(100'000, 'b'));
  }
  CHECK(other.ask("get 4") == "s0:get 4");
  CHECK(eventually([&] { return two.proxy.clients() == 2; }));
  CHECK(eventually([&] { return two.proxy.snapshot().buffered_bytes == 0; }));
}

TEST_CASE("a large request to a backend that is down fails and the connection goes on") {
  TwoServers two;
  two.listener.timeouts.queue = 300ms;
  REQUIRE(two.proxy.apply(two.listener));
  two.s0.stop();
  Client client(two.listener.port);
  client.send("put 0 3000000\n");
  std::thread sender([&] { client.send(std::string(3'000'000, 'c') + "get 1\n"); });
  CHECK(client.line() == "-unreachable s0");
  CHECK(client.line() == "s1:get 1");
  sender.join();
}

TEST_CASE("a message that is longer than the protocol allows closes its client") {
  TwoServers two;
  Client client(two.listener.port);
  client.send(std::string(200'000, 'x'));
  CHECK(client.line() == "EOF");
  CHECK(two.proxy.listener().clients_broken == 1);
}

TEST_CASE("more clients than allowed are refused, those inside are served") {
  TwoServers two;
  two.listener.max_clients = 2;
  REQUIRE(two.proxy.apply(two.listener));
  Client a(two.listener.port), b(two.listener.port), c(two.listener.port);
  CHECK(a.ask("get 0") == "s0:get 0");
  CHECK(b.ask("get 0") == "s0:get 0");
  CHECK(c.line() == "EOF");
  CHECK(two.proxy.listener().clients_refused == 1);
  a.close();
  CHECK(eventually([&] { return two.proxy.clients() == 1; }));
  Client d(two.listener.port);
  CHECK(d.ask("get 0") == "s0:get 0");
}

TEST_CASE("an idle client is closed after timeouts.idle, a busy one is not") {
  TwoServers two;
  two.listener.timeouts.idle = 300ms;
  REQUIRE(two.proxy.apply(two.listener));
  Client idle(two.listener.port), busy(two.listener.port);
  CHECK(idle.ask("get 0") == "s0:get 0");
  for (int i = 0; i < 10; ++i) {
    CHECK(busy.ask("get 0") == "s0:get 0");
    std::this_thread::sleep_for(60ms);
  }
  CHECK(idle.line(0ms) == "EOF");
  CHECK(two.proxy.listener().clients_idle == 1);
}

TEST_CASE("a server that says nothing while its probe fails is given up within three seconds") {
  TwoServers two;
  Client client(two.listener.port);
  CHECK(client.ask("get 0") == "s0:get 0");
  client.send("get 0 !hold\n");
  CHECK(eventually([&] { return two.s0.requests() == 2; }));
  const auto since = std::chrono::steady_clock::now();
  for (const auto& target : two.proxy.probe_targets()) {
    if (target.upstream->backend().name == "s0") target.upstream->probed(false, "no answer", since);
  }
  CHECK(client.line() == "-timed_out s0");
  CHECK(std::chrono::steady_clock::now() - since < 3s);
  CHECK(client.ask("get 1") == "s1:get 1");
}
