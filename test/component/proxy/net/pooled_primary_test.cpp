// The primary among several servers: found, followed, and never two.
#include <catch2/catch.hpp>

#include "toy.hpp"

using namespace toy;

namespace {

struct Pair {
  RealServer first{"first", {.role = "primary 1", .refusal = {}}};
  RealServer second{"second", {.role = "replica", .refusal = {}}};
  config::Listener listener;
  running::Proxy proxy;

  explicit Pair(net::Options options = {})
      : listener(listener_for({&first, &second}, 4)), proxy(watching_core(), std::move(options)) {
    const auto applied = proxy.apply(listener);
    if (!applied) throw std::runtime_error(applied.error().text());
  }
  bool knows(std::size_t backend, Role role, std::uint64_t term = 0) {
    return eventually([&] {
      const auto now = proxy.backend(backend);
      return now.role == role && now.term == term;
    });
  }
};

void becomes(RealServer& server, const std::string& role) {
  server.behave({.role = role, .refusal = {}});
}

}  // namespace

TEST_CASE("what servers are is known before a client asks, and asked again about once a second") {
  Pair pair;
  CHECK(pair.knows(0, Role::primary, 1));
  CHECK(pair.knows(1, Role::replica));
  const int before = pair.second.questions();
  std::this_thread::sleep_for(3s);
  CHECK(pair.second.questions() - before >= 2);
  CHECK(pair.second.questions() - before <= 5);
  CHECK(pair.first.logins() == 1);
  CHECK(pair.second.logins() == 1);
  CHECK(pair.proxy.listener().pool.idle == 0);  // they are not the pool's
}

TEST_CASE("servers that refuse the login of who asks them are not asked all the time") {
  RealServer first("first", {.role = {}, .refusal = "ERR final no such user"});
  RealServer second("second", {.role = {}, .refusal = "ERR final no such user"});
  running::Proxy proxy(watching_core(), {});
  REQUIRE(proxy.apply(listener_for({&first, &second}, 4)));
  CHECK(eventually([&] { return first.logins() >= 2; }));
  const int before = first.logins();
  std::this_thread::sleep_for(2s);
  CHECK(first.logins() - before <= 3);
  CHECK(proxy.said("a backend does not tell whether it is the primary"));
}

TEST_CASE("one server is not watched") {
  OneServer one(2);
  Guest a(one.listener.port);
  CHECK(a.query("x") == "R s:x");
  CHECK(one.server.questions() == 0);
  CHECK(one.server.logins() == 1);
}

TEST_CASE("a promotion is known at once: who waits for a primary goes on") {
  Pair pair;
  Guest writer(pair.listener.port, "k primary");
  CHECK(writer.query("one") == "R first:one");
  pair.first.stop();
  writer.send("Q two\n");
  CHECK(writer.line(300ms) == "TIMEOUT");
  becomes(pair.second, "primary 2");
  const auto began = std::chrono::steady_clock::now();
  CHECK(writer.line() == "R second:two");
  CHECK(std::chrono::steady_clock::now() - began < 1s);  // a tenth as a rule
  CHECK(writer.line() == "Z I");
}

TEST_CASE("of two primaries the one of the higher term is served, and the other one loses its clients") {
  const unsigned workers = GENERATE(1U, 2U);
  net::Options options;
  options.workers = workers;
  Pair pair(std::move(options));
  std::vector<Guest> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back(pair.listener.port, "k primary");
    CHECK(writers.back().query("begin", "Z T") == "R first:begin");
  }
  Guest idler(pair.listener.port, "k primary");
  CHECK(idler.query("one") == "R first:one");
  becomes(pair.second, "primary 2");
  REQUIRE(pair.knows(1, Role::primary, 2));
  for (Guest& writer : writers) {
    writer.send("Q more\n");
    // Cut in its unit of work, before or after this request.
    const std::string answer = writer.line();
    if (answer != "! lost") CHECK(answer == "R second:more");
  }
  CHECK(eventually([&] { return pair.proxy.listener().pool.lent == 0; }));
  CHECK(idler.query("two") == "R second:two");

  // It counts after it is gone, too: its history may have been written to.
  pair.second.stop();
  Guest late(pair.listener.port, "k primary");
  late.send("Q three\n");
  CHECK(late.line(1500ms) == "TIMEOUT");
  Guest reader(pair.listener.port, "k");
  CHECK(reader.query("any") == "R first:any");

  // Until it is not configured any more.
  pair.listener.backends.pop_back();
  REQUIRE(pair.proxy.apply(pair.listener));
  CHECK(late.line() == "R first:three");
}

TEST_CASE("a primary that comes back is used within the interval") {
  Pair pair;
  Guest writer(pair.listener.port, "k primary");
  CHECK(writer.query("one") == "R first:one");
  const std::uint16_t port = pair.first.port();
  pair.first.stop();
  std::this_thread::sleep_for(2s);  // pauses between tries have grown
  writer.send("Q two\n");
  CHECK(writer.line(100ms) == "TIMEOUT");
  RealServer again("again", {.role = "primary 1", .refusal = {}}, port);
  const auto began = std::chrono::steady_clock::now();
  CHECK(writer.line() == "R again:two");
  CHECK(std::chrono::steady_clock::now() - began < 1s);
}

TEST_CASE("a reload keeps watching what stays, and the proxy ends while it watches") {
  Pair pair;
  CHECK(pair.knows(1, Role::replica));
  RealServer third("third", {.role = "replica", .refusal = {}});
  pair.listener.backends[1] = backend("third", third.port());
  REQUIRE(pair.proxy.apply(pair.listener));
  CHECK(eventually([&] { return pair.second.quits() == 1; }));
  CHECK(eventually([&] { return third.questions() > 0; }));
  CHECK(pair.first.logins() == 1);
}

TEST_CASE("while a pool is paused clients wait, however long, and servers are left alone") {
  OneServer one(2);
  one.listener.timeouts.queue = 300ms;
  REQUIRE(one.proxy.apply(one.listener));
  Guest busy(one.listener.port), idle(one.listener.port);
  CHECK(busy.query("begin", "Z T") == "R s:begin");
  CHECK(idle.query("one") == "R s:one");
  CHECK_FALSE(one.proxy.pause("nobody", 10s));
  REQUIRE(one.proxy.pause("toy", 10s));
  CHECK(eventually([&] { return one.server.quits() == 1; }));
  CHECK(one.pool().paused);
  idle.send("Q two\n");
  CHECK(busy.query("more", "Z T") == "R s:more");  // a unit of work goes on
  CHECK(busy.query("commit") == "R s:commit");
  CHECK(eventually([&] { return one.server.quits() == 2; }));
  CHECK(one.pool().lent == 0);
  busy.send("Q three\n");
  CHECK(idle.line(600ms) == "TIMEOUT");  // longer than timeouts.queue
  SECTION("until it is resumed") {
    REQUIRE(one.proxy.resume("toy"));
    CHECK_FALSE(one.pool().paused);
  }
  SECTION("until its time is over") {
    REQUIRE(one.proxy.pause("toy", 300ms));
  }
  SECTION("a reload does not end it") {
    one.listener.max_clients = 77;
    REQUIRE(one.proxy.apply(one.listener));
    CHECK(idle.line(100ms) == "TIMEOUT");
    REQUIRE(one.proxy.resume("toy"));
  }
  CHECK(idle.line() == "R s:two");
  CHECK(busy.line() == "R s:three");
  CHECK(one.server.logins() <= 4);
}

TEST_CASE("who waited through a pause is served or told so within timeouts.queue") {
  OneServer one(1);
  one.listener.timeouts.queue = 300ms;
  REQUIRE(one.proxy.apply(one.listener));
  Guest a(one.listener.port);
  CHECK(a.query("one") == "R s:one");
  REQUIRE(one.proxy.pause("toy", 10s));
  a.send("Q two\n");
  CHECK(a.line(100ms) == "TIMEOUT");
  one.server.stop();
  CHECK(a.line(500ms) == "TIMEOUT");
  REQUIRE(one.proxy.resume("toy"));
  CHECK(a.line(2s).starts_with("! failed"));
}
