// Which reads go to a replica: not too far behind, and with what the client wrote.
#include <catch2/catch.hpp>

#include "toy.hpp"

using namespace toy;

namespace {

struct Pair {
  RealServer first{"first", {.role = "primary 1 at 100", .refusal = {}}};
  RealServer second{"second", {.role = "replica at 100", .refusal = {}}};
  config::Listener listener;
  running::Proxy proxy;

  explicit Pair(std::chrono::milliseconds max_lag = 10s, net::Options options = {})
      : listener(listener_for({&first, &second}, 4)), proxy(watching_core(), std::move(options)) {
    listener.sql.read_write_split = config::ReadWriteSplit::statements;
    listener.sql.max_lag = max_lag;
    const auto applied = proxy.apply(listener);
    if (!applied) throw std::runtime_error(applied.error().text());
  }
  void primary_at(int position) { says(first, "primary 1 at " + std::to_string(position)); }
  void replica_at(int position) { says(second, "replica at " + std::to_string(position)); }
  static void says(RealServer& server, const std::string& role) {
    server.behave({.role = role, .refusal = {}});
  }
  std::optional<std::chrono::milliseconds> lag() { return proxy.backend(1).lag; }
  bool has_lag() {
    return eventually([&] { return lag().has_value(); });
  }
};

}  // namespace

TEST_CASE("reads go to the replica, all else to the primary") {
  net::Options options;
  options.workers = GENERATE(1U, 2U);
  Pair pair(10s, std::move(options));
  REQUIRE(pair.has_lag());
  CHECK(pair.lag() == 0ms);
  Guest client(pair.listener.port, "k split");
  for (int i = 0; i < 20; ++i) CHECK(client.query("read") == "R second:read");
  CHECK(client.query("write") == "R first:write");
}

TEST_CASE("a client reads from the primary until the replica has what it wrote, others do not wait") {
  Pair pair;
  REQUIRE(pair.has_lag());
  Guest client(pair.listener.port, "k split"), other(pair.listener.port, "k split");
  pair.primary_at(200);
  CHECK(client.query("write") == "R first:write");
  const auto until = std::chrono::steady_clock::now() + 1500ms;
  while (std::chrono::steady_clock::now() < until) CHECK(client.query("read mine") == "R first:read mine");
  CHECK(other.query("read") == "R second:read");
  pair.replica_at(199);
  std::this_thread::sleep_for(300ms);
  CHECK(client.query("read mine") == "R first:read mine");
  pair.replica_at(200);
  const auto began = std::chrono::steady_clock::now();
  CHECK(eventually([&] { return client.query("read mine") == "R second:read mine"; }));
  CHECK(std::chrono::steady_clock::now() - began < 1s);  // two tenths as a rule
  // Reads on the primary were no writes.
  CHECK(client.query("read again") == "R second:read again");
}

TEST_CASE("what was known before a write says nothing of it") {
  Pair pair;
  REQUIRE(pair.has_lag());
  Guest client(pair.listener.port, "k split");
  for (int i = 0; i < 50; ++i) {
    CHECK(client.query("write") == "R first:write");
    CHECK(client.query("read") == "R first:read");
  }
  CHECK(eventually([&] { return client.query("read") == "R second:read"; }));
}

TEST_CASE("a replica that is too far behind gets no reads until it is near again") {
  Pair pair(500ms);
  REQUIRE(pair.has_lag());
  Guest client(pair.listener.port, "k split");
  CHECK(client.query("read") == "R second:read");
  pair.primary_at(200);
  CHECK(eventually([&] { return client.query("read") == "R first:read"; }));
  CHECK(eventually([&] { return pair.lag() > 500ms; }));
  std::this_thread::sleep_for(200ms);
  CHECK(client.query("read") == "R first:read");
  pair.replica_at(200);
  CHECK(eventually([&] { return client.query("read") == "R second:read"; }));
  CHECK(pair.lag() == 0ms);
}

TEST_CASE("a replica that does not answer any more is too far behind in time") {
  Pair pair(300ms);
  REQUIRE(pair.has_lag());
  Guest client(pair.listener.port, "k split");
  CHECK(client.query("read") == "R second:read");
  const int before = pair.second.questions();
  std::this_thread::sleep_for(1s);
  CHECK(pair.second.questions() - before >= 8);  // a third of the lag, and less
}

TEST_CASE("without a replica reads go to the primary, and to the replica when it is back") {
  Pair pair;
  REQUIRE(pair.has_lag());
  Guest client(pair.listener.port, "k split");
  CHECK(client.query("read") == "R second:read");
  const std::uint16_t port = pair.second.port();
  pair.second.stop();
  CHECK(eventually([&] { return client.query("read") == "R first:read"; }));
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) CHECK(client.query("read") == "R first:read");
  CHECK(std::chrono::steady_clock::now() - began < 500ms);
  RealServer again("again", {.role = "replica at 100", .refusal = {}}, port);
  CHECK(eventually([&] { return client.query("read") == "R again:read"; }));
}

TEST_CASE("without a primary reads go on") {
  Pair pair;
  REQUIRE(pair.has_lag());
  Guest client(pair.listener.port, "k split");
  CHECK(client.query("read") == "R second:read");
  pair.first.stop();
  std::this_thread::sleep_for(500ms);
  CHECK(client.query("read") == "R second:read");
  Pair::says(pair.second, "primary 2 at 110");
  CHECK(client.query("write") == "R second:write");
  CHECK(client.query("read") == "R second:read");
}

TEST_CASE("nothing is read from a primary that another one has superseded") {
  Pair pair;
  REQUIRE(pair.has_lag());
  Guest client(pair.listener.port, "k split");
  Pair::says(pair.second, "primary 2 at 110");
  CHECK(eventually([&] { return pair.proxy.backend(1).role == Role::primary; }));
  for (int i = 0; i < 20; ++i) CHECK(client.query("read") == "R second:read");
}
