// Servers lent from a pool: who gets one, when, and what becomes of it when somebody leaves.
#include <catch2/catch.hpp>
#include <numeric>

#include "toy.hpp"

using namespace toy;

TEST_CASE("a server is lent for a unit of work and serves the next client after it") {
  OneServer one(1);
  Guest a(one.listener.port), b(one.listener.port);
  CHECK(a.query("one") == "R s:one");
  CHECK(b.query("two") == "R s:two");
  CHECK(a.query("begin", "Z T") == "R s:begin");
  b.send("Q three\n");
  CHECK(b.line(100ms) == "TIMEOUT");
  CHECK(one.pool().waiting == 1);
  CHECK(one.pool().lent == 1);
  CHECK(a.query("commit") == "R s:commit");
  CHECK(b.line() == "R s:three");
  CHECK(b.line() == "Z I");
  CHECK(one.server.logins() == 1);
  CHECK(eventually([&] { return one.pool().idle == 1 && one.pool().lent == 0; }));
  const auto listener = one.proxy.listener();
  CHECK(listener.requests == 5);
  CHECK(listener.replies == 5);
  CHECK(listener.request_time.total == 5);
  CHECK(listener.pool.wait_time.total == 4);
  CHECK(listener.backends[0].lanes_open == 1);
  CHECK(listener.backends[0].owed == 0);
}

TEST_CASE("those who wait are served in their order") {
  OneServer one(1);
  Guest first(one.listener.port);
  CHECK(first.query("begin", "Z T") == "R s:begin");
  std::vector<Guest> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.emplace_back(one.listener.port);
    // Each begins what only it ends: the next one's turn comes after that.
    waiting.back().send("Q begin\n");
    const auto now = static_cast<std::uint64_t>(i) + 1;
    REQUIRE(eventually([&] { return one.pool().waiting == now; }));
  }
  CHECK(first.query("commit") == "R s:commit");
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    CHECK(waiting[i].line() == "R s:begin");
    CHECK(waiting[i].line() == "Z T");
    if (i + 1 < waiting.size()) CHECK(waiting[i + 1].line(20ms) == "TIMEOUT");
    CHECK(waiting[i].query("commit") == "R s:commit");
  }
}

TEST_CASE("a thousand clients share four servers") {
  net::Options options;
  options.workers = 3;
  OneServer one(4, options);
  std::vector<Guest> clients;
  for (int i = 0; i < 1000; ++i) clients.emplace_back(one.listener.port);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 10; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 3; ++round) {
        for (std::size_t i = t; i < clients.size(); i += 10) clients[i].send("Q " + std::to_string(i) + "\n");
        for (std::size_t i = t; i < clients.size(); i += 10) {
          if (clients[i].line(20s) != "R s:" + std::to_string(i) || clients[i].line() != "Z I") ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(one.server.most_open() <= 4);
  CHECK(one.server.logins() <= 4);
}

TEST_CASE("fewer connections than workers are not exceeded") {
  net::Options options;
  options.workers = 4;
  OneServer one(2, options);
  std::vector<Guest> clients;
  for (int i = 0; i < 12; ++i) clients.emplace_back(one.listener.port);
  for (auto& client : clients) client.send("Q hold\n");
  CHECK(eventually([&] { return one.server.holding() == 2; }));
  CHECK(eventually([&] { return one.pool().waiting == 10; }));
  one.server.release();
  for (auto& client : clients) CHECK(client.line() == "R s:hold");
  CHECK(one.server.most_open() == 2);
}

TEST_CASE("who waits longer than timeouts.queue is told so, and may try again") {
  OneServer one(1);
  one.listener.timeouts.queue = 300ms;
  REQUIRE(one.proxy.apply(one.listener));
  Guest a(one.listener.port), b(one.listener.port);
  CHECK(a.query("begin", "Z T") == "R s:begin");
  const auto since = std::chrono::steady_clock::now();
  CHECK(b.query("late") == "! failed " + std::to_string(static_cast<int>(Failure::overloaded)));
  const auto waited = std::chrono::steady_clock::now() - since;
  CHECK(waited >= 290ms);
  CHECK(waited < 2s);
  CHECK(a.query("commit") == "R s:commit");
  CHECK(b.query("now") == "R s:now");
}

TEST_CASE("an idle server of another key makes room, also when the others never stop") {
  OneServer one(1);
  Guest a(one.listener.port, "a"), b(one.listener.port, "b");
  CHECK(a.query("one") == "R s:one");
  CHECK(b.query("two") == "R s:two");
  CHECK(one.server.logins() == 2);
  CHECK(one.server.most_open() <= 2);
  CHECK(eventually([&] { return one.server.quits() == 1; }));
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back([&] {
      Guest client(one.listener.port, "a");
      while (!stop) client.query("busy");
    });
  }
  for (int i = 0; i < 5; ++i) CHECK(b.query("mine") == "R s:mine");
  stop = true;
  for (auto& thread : busy) thread.join();
}

TEST_CASE("what a client left behind is put in order before the next one") {
  OneServer one(1);
  Guest a(one.listener.port), b(one.listener.port);
  CHECK(a.query("dirty") == "R s:dirty");
  CHECK(b.query("clean") == "R s:clean");
  CHECK(one.server.resets() == 1);
  CHECK(one.server.logins() == 1);
}

TEST_CASE("a server for one client alone is not logged in, and closed when it is given back") {
  OneServer one(2);
  {
    Guest a(one.listener.port, "k alone");
    CHECK(a.query("x") == "! lost");  // it speaks to the server itself, which wants a login first
    CHECK(one.server.logins() == 0);
  }
  CHECK(eventually([&] { return one.proxy.backend(0).lanes_open == 0; }));
  CHECK(one.pool().idle == 0);
}

TEST_CASE("a hundred megabytes each way arrive whole, in bounded memory, at the reader's pace") {
  OneServer one(1);
  Guest client(one.listener.port);
  constexpr std::size_t kBytes = 100'000'000;
  SECTION("from the server") {
    client.send("Q large " + std::to_string(kBytes) + "\n");
    CHECK(client.line() == "D " + std::to_string(kBytes));
    std::this_thread::sleep_for(200ms);  // nobody reads: what is buffered must stop growing
    CHECK(one.proxy.snapshot().buffered_bytes < 2'000'000);
    std::size_t got = 0;
    while (got < kBytes) {
      const std::string piece = client.bytes(1'000'000);
      REQUIRE(piece == std::string(1'000'000, 'x'));
      got += piece.size();
    }
    CHECK(client.line() == "Z I");
  }
  SECTION("from the client") {
    const std::string piece(1'000'000, 'y');
    client.send("P " + std::to_string(kBytes) + "\n");
    std::thread writer([&] {
      for (std::size_t sent = 0; sent < kBytes; sent += piece.size()) client.send(piece);
    });
    CHECK(eventually([&] { return one.proxy.listener().bytes_received > 10'000'000; }));
    CHECK(one.proxy.snapshot().buffered_bytes < 2'000'000);
    writer.join();
    CHECK(client.line(20s) == "R sum " + std::to_string(kBytes * std::size_t{'y'}));
    CHECK(client.line() == "Z I");
  }
  CHECK(client.query("after") == "R s:after");
  CHECK(eventually([&] { return one.proxy.snapshot().buffered_bytes == 0; }));
}

TEST_CASE("requests that were sent together are answered together, by as many servers as it takes") {
  OneServer one(1);
  Guest a(one.listener.port);
  std::string all;
  for (int i = 0; i < 1000; ++i) all += "Q " + std::to_string(i) + "\n";
  std::thread writer([&] { a.send(all); });
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(a.line() == "R s:" + std::to_string(i));
    REQUIRE(a.line() == "Z I");
  }
  writer.join();
}
