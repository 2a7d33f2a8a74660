// Connections that are greeted before a client's bytes go over them, of the kind that each message needs.
#include <catch2/catch.hpp>

#include "cores.hpp"
#include "line_server.hpp"
#include "running.hpp"

using namespace running;
using Heard = std::vector<std::string>;

namespace {

/// One server behind a listener, whose name says whether all connections are greeted.
struct One {
  explicit One(const std::string& name = "lines")
      : listener(listener_named(name, config::Protocol::redis, {backend("s0", server.port())})),
        proxy(cores()) {
    wait_at_most(5s, 5s);
  }
  /// How long a request waits for a connection, and a connection for its greeting's answer. Without it long
  /// enough for any server that answers, on a busy machine too.
  void wait_at_most(std::chrono::milliseconds queue, std::chrono::milliseconds connect) {
    listener.timeouts.queue = queue;
    listener.timeouts.connect = connect;
    const auto applied = proxy.apply(listener);
    if (!applied) throw std::runtime_error(applied.error().text());
  }

  line::Server server{"s0"};
  config::Listener listener;
  running::Proxy proxy;
};

}  // namespace

TEST_CASE("a message goes over a connection of its kind, which was greeted first") {
  One one;
  Client a(one.listener.port);
  Client b(one.listener.port);
  CHECK(a.ask("get 0") == "s0:get 0");
  CHECK(one.server.heard() == Heard{"get 0"});
  CHECK(b.ask("use 7") == "used");
  CHECK(b.ask("get 1") == "s0:get 1");
  CHECK(one.server.heard() == Heard{"get 0", "hello 7", "get 1"});
  CHECK(one.server.accepted() == 2);
  CHECK(a.ask("use 7") == "used");
  CHECK(a.ask("get 2") == "s0:get 2");
  CHECK(a.ask("all 3") == "s0:get 3");
  CHECK(a.ask("use 0") == "used");
  CHECK(a.ask("get 4") == "s0:get 4");
  CHECK(one.server.accepted() == 2);  // one per kind, for whoever comes
}

TEST_CASE("replies keep the order of requests that go over connections of several kinds") {
  One one;
  Client client(one.listener.port);
  client.send("get 0 !hold\nuse 1\nget 1\nuse 2\nget 2\nlocal here\n");
  CHECK(client.line(100ms) == "TIMEOUT");
  CHECK(eventually([&] { return one.server.requests() == 3; }));
  one.server.release();
  for (const char* line : {"s0:get 0 !hold", "used", "s0:get 1", "used", "s0:get 2", "here"})
    CHECK(client.line() == line);
}

TEST_CASE("a new connection in place of a lost one is greeted too, and so is the one of a large message") {
  One one("lines.greeted");
  Client client(one.listener.port);
  CHECK(client.ask("get 0") == "s0:get 0");
  one.server.cut();
  CHECK(eventually([&] { return one.proxy.backend(0).lanes_open == 0; }));
  CHECK(client.ask("get 1") == "s0:get 1");
  CHECK(one.server.heard() == Heard{"hello 0", "get 0", "hello 0", "get 1"});
  CHECK(client.ask("use 3") == "used");
  const std::string body(200'000, 'a');
  client.send("put 5 200000\n" + body);
  CHECK(client.line() == "s0:put 5 200000 " + std::to_string(200'000 * 'a'));
  CHECK(one.server.heard().back() == "hello 3");
}

TEST_CASE("a greeting that is refused is tried again; who waited too long is told why") {
  One one("lines.greeted");
  one.wait_at_most(400ms, 5s);
  one.server.answer_hello("no wrong password");
  Client client(one.listener.port);
  CHECK(client.ask("get 0") == "-refused s0: wrong password");
  CHECK(client.ask("all 0") == "-refused s0");
  CHECK(one.proxy.said("a backend refuses the connection listener=lines.greeted backend=s0 "));
  CHECK(one.proxy.said("error=wrong password"));
  CHECK(one.server.requests() == 0);
  CHECK(one.proxy.backend(0).lanes_open == 0);
  CHECK(one.proxy.backend(0).connect_failures > 1);
  one.wait_at_most(5s, 5s);  // longer than the pause between two attempts
  client.send("get 1\n");
  one.server.answer_hello("welcome");
  CHECK(client.line() == "s0:get 1");
}

TEST_CASE("a refusal that stands is told at once, and says nothing of the backend") {
  One one;
  one.server.answer_hello("never no such kind");
  Client client(one.listener.port);
  CHECK(client.ask("use 9") == "used");
  for (int i = 0; i < 5; ++i) CHECK(client.ask("get 0", 2s) == "-refused s0: no such kind");
  client.send("put 5 200000\n" + std::string(200'000, 'a'));
  CHECK(client.line(2s) == "-refused s0: no such kind");
  CHECK(one.proxy.backend(0).usable);
  CHECK(client.ask("use 0") == "used");
  CHECK(client.ask("get 0") == "s0:get 0");
}

TEST_CASE("a server that does not answer the greeting is given up after timeouts.connect") {
  One one("lines.greeted");
  one.wait_at_most(400ms, 200ms);
  one.server.answer_hello("");
  Client client(one.listener.port);
  CHECK(client.ask("get 0") == "-refused s0: the server did not answer the greeting in time");
}

TEST_CASE("after the login changed, connections are made anew when nothing is owed") {
  One one("lines.greeted");
  Client a(one.listener.port);
  Client b(one.listener.port);
  CHECK(a.ask("get 0") == "s0:get 0");
  a.send("get 1 !hold\n");
  CHECK(eventually([&] { return one.server.requests() == 2; }));
  one.proxy.login_changed("lines.greeted");
  b.send("get 2\n");
  CHECK(b.line(100ms) == "TIMEOUT");  // of the next connection
  CHECK(one.server.accepted() == 1);
  one.server.release();
  CHECK(a.line() == "s0:get 1 !hold");
  CHECK(b.line() == "s0:get 2");
  CHECK(one.server.heard() == Heard{"hello 0", "get 0", "get 1 !hold", "hello 0", "get 2"});
}

TEST_CASE("after the login changed, what was refused is tried at once") {
  One one("lines.greeted");
  one.server.answer_hello("no wrong password");
  Client client(one.listener.port);
  client.send("get 0\n");
  CHECK(eventually([&] { return one.proxy.backend(0).connect_failures > 0; }));
  one.server.answer_hello("welcome");
  one.proxy.login_changed("lines.greeted");
  CHECK(client.line() == "s0:get 0");
}

TEST_CASE("news that nobody asked for is dropped, in the middle of replies and after them") {
  One one;
  Client client(one.listener.port);
  CHECK(client.ask("get 0 !news") == "s0:get 0 !news");
  CHECK(client.ask("get 1") == "s0:get 1");
  CHECK(one.server.accepted() == 1);
}

TEST_CASE("kinds are bounded: one that nobody uses gives way, else there is no more") {
  One one;
  Client client(one.listener.port);
  for (int kind = 1; kind <= 200; ++kind) {
    CHECK(client.ask("use " + std::to_string(kind)) == "used");
    CHECK(client.ask("get 0") == "s0:get 0");
  }
  CHECK(eventually([&] { return one.proxy.backend(0).lanes_open < 64; }));
  std::string busy;
  for (int kind = 1; kind <= 63; ++kind) busy += "use " + std::to_string(kind) + "\nget 1 !hold\n";
  client.send(busy);
  CHECK(eventually([&] { return one.server.requests() == 263; }));
  Client other(one.listener.port);
  CHECK(other.ask("use 64") == "used");
  CHECK(other.ask("get 0") == "-overloaded s0");
  CHECK(other.ask("use 0") == "used");
  CHECK(other.ask("get 0") == "s0:get 0");
  one.server.release();
}
