#include "proxy/app/new_names.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace std::chrono_literals;
namespace config = ambassador::config;
using ambassador::Error;
using ambassador::Result;
using ambassador::proxy::app::new_names;
using ambassador::proxy::app::NewNames;
using ambassador::proxy::net::Resolved;
using Names = std::vector<std::string>;

namespace {

config::Document with(config::RedisMode mode, const Names& hosts) {
  config::Listener listener;
  listener.name = "redis.cache";
  listener.protocol = config::Protocol::redis;
  listener.redis.mode = mode;
  for (const std::string& host : hosts) listener.backends.push_back({host + ":6379", host, 6379});
  config::Document document;
  document.listeners = {listener};
  return document;
}

config::Document ring(const Names& hosts) {
  return with(config::RedisMode::sharded, hosts);
}

/// A name has an address once it has been asked for so often; names that are not here have one at once.
struct Dns {
  boost::asio::io_context control;
  std::map<std::string, int> unknown;
  int asked = 0;
  NewNames awaited{control, [this](const std::string& name, std::function<void(Result<Resolved>)> done) {
                     ++asked;
                     const bool known = unknown[name]-- <= 0;
                     boost::asio::post(control, [known, done = std::move(done)] {
                       known ? done(Resolved{}) : done(Error{"name", "NXDOMAIN"});
                     });
                   }};
  std::string then;

  void await(Names names, const std::string& mark, std::chrono::milliseconds most = 10s) {
    awaited.await(
        std::move(names), [this, mark] { then += mark; }, most);
  }
};

}  // namespace

TEST_CASE("names that a ring gets are new, those of other modes and of rings without servers are not") {
  CHECK(new_names(ring({"a", "b"}), ring({"a", "b", "c", "d", "c"})) == Names{"c", "d"});
  CHECK(new_names(ring({"a", "b"}), ring({"b"})).empty());
  CHECK(new_names(ring({}), ring({"a"})).empty());
  CHECK(new_names({}, ring({"a"})).empty());
  CHECK(new_names(ring({"a"}), ring({"a", "10.0.0.1", "/run/redis.sock"})).empty());
  config::Document last = ring({"a", "b"});
  last.shutdown = true;
  CHECK(new_names(ring({"a"}), last).empty());
  for (const auto mode : {config::RedisMode::failover, config::RedisMode::spread, config::RedisMode::cluster})
    CHECK(new_names(with(mode, {"a"}), with(mode, {"a", "b"})).empty());
}

TEST_CASE("without new names nothing is waited for") {
  Dns dns;
  dns.await({}, "x");
  CHECK(dns.then == "x");
}

TEST_CASE("what has no address yet is asked for again, and it alone") {
  Dns dns;
  dns.unknown["c"] = 2;
  dns.await({"c", "d"}, "x");
  CHECK(dns.then.empty());
  dns.control.run();
  CHECK(dns.then == "x");
  CHECK(dns.asked == 4);  // d once, c three times
}

TEST_CASE("a name that never has an address is waited for so long and no longer") {
  Dns dns;
  dns.unknown["c"] = 1'000'000;
  const auto begun = std::chrono::steady_clock::now();
  dns.await({"c"}, "x", 700ms);
  dns.control.run();
  CHECK(dns.then == "x");
  CHECK(std::chrono::steady_clock::now() - begun >= 700ms);
}

TEST_CASE("a later configuration takes the place of one that waits") {
  Dns dns;
  dns.unknown["c"] = 1;
  dns.await({"c"}, "first");
  SECTION("it waits itself") {
    dns.await({"d"}, "second");
    dns.control.run();
    CHECK(dns.then == "second");
  }
  SECTION("it is the one that runs") {
    dns.awaited.forget();
    dns.control.run();
    CHECK(dns.then.empty());
  }
  SECTION("while the first waits to ask again") {
    dns.control.run_for(100ms);
    dns.await({"d"}, "second");
    dns.control.run();
    CHECK(dns.then == "second");
  }
}

TEST_CASE("an answer may come when nobody is there any more") {
  std::function<void(Result<Resolved>)> late;
  boost::asio::io_context control;
  {
    NewNames awaited(control, [&](const auto&, auto done) { late = std::move(done); });
    awaited.await({"c"}, [] { FAIL("called"); });
  }
  late(Resolved{});
  control.run();
}
