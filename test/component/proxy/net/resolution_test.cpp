// Names: where a backend is may change at any time, and DNS may be out of order at any time.
#include <catch2/catch.hpp>

#include "cores.hpp"
#include "line_server.hpp"

using namespace running;

namespace {

/// Binds the same port on further loopback addresses: 127.0.0.2 is another host to us.
struct Named {
  line::Server server{"s"};
  config::Listener listener =
      listener_named("lines", config::Protocol::redis, {backend("s", server.port(), "redis-0.test")});
  running::Proxy proxy{cores()};
};

}  // namespace

TEST_CASE("a name that is known late is used as soon as it is") {
  Named named;
  REQUIRE(named.proxy.apply(named.listener));
  Client client(named.listener.port);
  client.send("get 0\n");
  CHECK(client.line(300ms) == "TIMEOUT");
  CHECK(named.proxy.backend(0).resolve_error == "redis-0.test: no such name");
  named.proxy.set_name("redis-0.test", {"127.0.0.1"});
  CHECK(client.line(2s) == "s:get 0");
  CHECK(named.proxy.backend(0).addresses ==
        std::vector<std::string>{"127.0.0.1:" + std::to_string(named.server.port())});
}

TEST_CASE("all addresses of a name are tried, IPv4 and IPv6") {
  Named named;
  named.proxy.set_name("redis-0.test", {"::1", "127.0.0.3", "127.0.0.1"});  // only the last one listens
  REQUIRE(named.proxy.apply(named.listener));
  CHECK(Client(named.listener.port).ask("get 0") == "s:get 0");
}

TEST_CASE("a failure of DNS keeps the last good answer") {
  Named named;
  named.proxy.set_name("redis-0.test", {"127.0.0.1"});
  REQUIRE(named.proxy.apply(named.listener));
  Client client(named.listener.port);
  CHECK(client.ask("get 0") == "s:get 0");
  named.proxy.set_name("redis-0.test", {});
  CHECK(eventually([&] { return !named.proxy.backend(0).resolve_error.empty(); }));
  named.server.cut();
  CHECK(eventually([&] { return named.proxy.backend(0).lanes_lost == 1; }));
  CHECK(client.ask("get 1") == "s:get 1");
}

TEST_CASE("a backend that comes back at another address is used within two seconds of DNS knowing it") {
  Named named;
  named.proxy.set_name("redis-0.test", {"127.0.0.9"});  // nobody there
  REQUIRE(named.proxy.apply(named.listener));
  Client client(named.listener.port);
  client.send("get 0\n");
  CHECK(client.line(500ms) == "TIMEOUT");
  const auto since = std::chrono::steady_clock::now();
  named.proxy.set_name("redis-0.test", {"127.0.0.1"});
  CHECK(client.line(2s) == "s:get 0");
  CHECK(std::chrono::steady_clock::now() - since < 2s);
}

TEST_CASE("DNS is not asked without end while a backend is down") {
  Named named;
  named.proxy.set_name("redis-0.test", {"127.0.0.9"});
  named.listener.timeouts.queue = 1s;
  REQUIRE(named.proxy.apply(named.listener));
  Client client(named.listener.port);
  CHECK(client.ask("get 0", 3s) == "-unreachable s");
  CHECK(named.proxy.questions() <= 8);
}
