// Transactions, commands that block, and subscriptions: clients of the proxy with lanes of their own, in
// front of real Redis servers.
#include <atomic>
#include <thread>

#include "cores.hpp"
#include "proxy/redis/ring.hpp"
#include "test/component/proxy/app/redis.hpp"

namespace {

using namespace ambassador;
using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using running::backend;

/// Two servers that share the keys, behind one proxy.
struct Shards {
  RedisServer s0, s1;
  config::Listener listener = running::listener_named("cache", config::Protocol::redis, {});
  running::Proxy proxy{running::cores()};

  Shards() {
    listener.backends = {backend("s0", s0.port()), backend("s1", s1.port())};
    REQUIRE(proxy.apply(listener));
  }
  RedisServer& server(std::size_t i) { return i == 0 ? s0 : s1; }
  [[nodiscard]] std::uint16_t port() const { return listener.port; }

  /// A key, or channel, that lies on that server; `which` gives different ones.
  [[nodiscard]] std::string on(std::uint32_t server, int which = 0) const {
    const proxy::redis::Ring ring(proxy::redis::ring_servers(listener.backends), listener.redis.hash,
                                  listener.redis.distribution, listener.redis.hash_tag);
    for (int i = 0;; ++i) {
      const std::string key = std::to_string(i * 7919) + "-key";
      if (ring.locate(key) == server && which-- == 0) return key;
    }
  }
};

/// A number that INFO has, as `server` says now.
int number(const RedisServer& server, const std::string& section, const std::string& field) {
  const std::string value = server.info(section, field);
  return value.empty() ? -1 : std::stoi(value);
}
int blocked(const RedisServer& server) {
  return number(server, "clients", "blocked_clients");
}
/// Subscribers of `channel` at `server`.
std::string subscribers(const RedisServer& server, const std::string& channel) {
  return RedisClient(server.port()).ask({"PUBSUB", "NUMSUB", channel});
}
void kill_connections(const RedisServer& server) {
  RedisClient direct(server.port());
  direct.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  direct.ask({"CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes"});
}

}  // namespace

TEST_CASE("a transaction is done as a whole on its shard, and refused over two") {
  Shards two;
  RedisClient client(two.port());
  const std::string a = two.on(0);
  const std::string b = two.on(0, 1);
  const std::string other = two.on(1);
  CHECK(client.ask({"MULTI"}) == "OK");
  CHECK(client.ask({"SET", a, "1"}) == "QUEUED");
  CHECK(client.ask({"INCR", a}) == "QUEUED");
  CHECK(client.ask({"LPUSH", b, "x"}) == "QUEUED");
  CHECK(client.ask({"INCR", b}) == "QUEUED");
  CHECK_THAT(client.ask({"EXEC"}), StartsWith("*[OK 2 1 -WRONGTYPE"));
  CHECK(client.ask({"GET", a}) == "2");

  CHECK(client.ask({"MULTI"}) == "OK");
  CHECK(client.ask({"SET", a, "3"}) == "QUEUED");
  CHECK_THAT(client.ask({"SET", other, "3"}), StartsWith("-CROSSSLOT"));
  CHECK_THAT(client.ask({"EXEC"}), StartsWith("-EXECABORT"));
  CHECK(client.ask({"GET", a}) == "2");
}

TEST_CASE("nobody sees half of a transaction on a shared connection") {
  Shards two;
  const std::string a = two.on(0);
  const std::string b = two.on(0, 1);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      RedisClient client(two.port());
      while (!stop) {
        for (const auto& words : {std::vector<std::string>{"MULTI"}, {"INCR", a}, {"INCR", b}, {"EXEC"}})
          client.send(words);
        for (int reply = 0; reply < 3; ++reply) client.receive();
        if (client.receive().front() != '*') ++wrong;
      }
    });
  }
  RedisClient reader(two.port());
  for (int i = 0; i < 500; ++i) {
    const std::string pair = reader.ask({"MGET", a, b});  // "*[12 12]"
    const auto blank = pair.find(' ');
    if (pair != "*[(nil) (nil)]" &&
        pair.substr(2, blank - 2) != pair.substr(blank + 1, pair.size() - blank - 2))
      ++wrong;
  }
  stop = true;
  for (auto& writer : writers) writer.join();
  CHECK(wrong == 0);
  CHECK(reader.ask({"GET", a}) == reader.ask({"GET", b}));
}

TEST_CASE("EXEC does nothing when a watched key has changed, by whomever") {
  Shards two;
  RedisClient client(two.port());
  RedisClient other(two.port());
  const std::string key = two.on(1);
  for (const bool conflict : {true, false}) {
    INFO("conflict " << conflict);
    CHECK(client.ask({"SET", key, "1"}) == "OK");
    CHECK(client.ask({"WATCH", key}) == "OK");
    CHECK(client.ask({"GET", key}) == "1");
    if (conflict) CHECK(other.ask({"SET", key, "2"}) == "OK");
    CHECK(client.ask({"MULTI"}) == "OK");
    CHECK(client.ask({"SET", key, "3"}) == "QUEUED");
    CHECK(client.ask({"EXEC"}) == (conflict ? "(nil)" : "*[OK]"));
    CHECK(client.ask({"GET", key}) == (conflict ? "2" : "3"));
  }
  // In one go: what is sent behind the WATCH is done behind it, and what follows EXEC behind that.
  for (int i = 0; i < 50; ++i) {
    for (const auto& words : std::vector<std::vector<std::string>>{{"SET", key, "a"},
                                                                   {"WATCH", key},
                                                                   {"GET", key},
                                                                   {"MULTI"},
                                                                   {"APPEND", key, "b"},
                                                                   {"EXEC"},
                                                                   {"GET", key}})
      client.send(words);
    std::string all;
    for (int reply = 0; reply < 7; ++reply) all += client.receive() + " ";
    CHECK(all == "OK OK a OK QUEUED *[2] ab ");
  }
}

TEST_CASE("EXEC never runs when the connection that watched is gone") {
  Shards two;
  RedisClient client(two.port());
  const std::string key = two.on(0);
  CHECK(client.ask({"SET", key, "1"}) == "OK");
  CHECK(client.ask({"WATCH", key}) == "OK");
  SECTION("the connection ends") {
    kill_connections(two.s0);
  }
  SECTION("the server was started again") {
    two.s0.stop();
    two.s0.start();
  }
  client.send({"MULTI"});
  client.send({"SET", key, "2"});
  client.send({"EXEC"});
  CHECK(client.receive() == "OK");
  CHECK(client.receive() == "QUEUED");
  CHECK_THAT(client.receive(), StartsWith("-"));
  CHECK(RedisClient(two.s0.port()).ask({"GET", key}) != "2");
  CHECK(client.ask({"WATCH", key}) == "OK");
  CHECK(client.ask({"MULTI"}) == "OK");
  CHECK(client.ask({"SET", key, "3"}) == "QUEUED");
  CHECK(client.ask({"EXEC"}) == "*[OK]");
}

TEST_CASE("a client that blocks is woken by another one, and holds up nobody") {
  Shards two;
  const std::string list = two.on(0);
  RedisClient waits(two.port());
  RedisClient other(two.port());
  for (int i = 0; i < 3; ++i) {
    waits.send({"BLPOP", list, "0"});
    waits.send({"LLEN", list});
    CHECK(eventually([&] { return blocked(two.s0) == 1; }));
    CHECK(other.ask({"SET", two.on(0, 1), "x"}) == "OK");
    CHECK(other.ask({"RPUSH", list, "element"}) == "1");
    CHECK(waits.receive() == "*[" + list + " element]");
    CHECK(waits.receive() == "0");
  }
  CHECK(waits.ask({"BLPOP", list, "0.05"}) == "(nil)");
  CHECK_THAT(waits.ask({"BLPOP", list, two.on(1), "0"}), StartsWith("-CROSSSLOT"));
  waits.send({"XREAD", "BLOCK", "0", "STREAMS", two.on(1), "$"});
  CHECK(eventually([&] { return blocked(two.s1) == 1; }));
  other.ask({"XADD", two.on(1), "1-1", "field", "value"});
  CHECK(waits.receive() == "*[*[" + two.on(1) + " *[*[1-1 *[field value]]]]]");
}

TEST_CASE("a blocked client that leaves takes nothing with it") {
  Shards two;
  const std::string list = two.on(0);
  for (const bool sent_more : {false, true}) {
    {
      RedisClient leaves(two.port());
      leaves.send({"BLPOP", list, "0"});
      if (sent_more) leaves.send({"PING"});
      CHECK(eventually([&] { return blocked(two.s0) == 1; }));
    }
    CHECK(eventually([&] { return blocked(two.s0) == 0; }));
  }
  RedisClient other(two.port());
  CHECK(other.ask({"RPUSH", list, "element"}) == "1");
  CHECK(other.ask({"LRANGE", list, "0", "-1"}) == "*[element]");
}

TEST_CASE("two hundred clients block at once, and their connections go with them") {
  Shards two;
  std::vector<std::unique_ptr<RedisClient>> clients;
  const std::string tag = two.on(1);
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RedisClient>(two.port()));
    clients.back()->send({"BLPOP", tag, "0"});
  }
  CHECK(eventually([&] { return blocked(two.s1) == 200; }));
  RedisClient other(two.port());
  for (int i = 0; i < 200; ++i) other.send({"RPUSH", tag, std::to_string(i)});
  int woken = 0;
  for (auto& client : clients) woken += client->receive().starts_with("*[" + tag + " ") ? 1 : 0;
  CHECK(woken == 200);
  CHECK(eventually([&] { return number(two.s1, "clients", "connected_clients") < 15; }));
  CHECK(eventually([&] { return two.proxy.snapshot().buffered_bytes == 0; }));
}

TEST_CASE("messages reach their subscribers over two shards, and nobody else") {
  Shards two;
  RedisClient subscriber(two.port());
  RedisClient publisher(two.port());
  std::vector<std::string> words{"SUBSCRIBE"};
  for (int i = 0; i < 5; ++i) {
    words.push_back(two.on(0, i));
    words.push_back(two.on(1, i));
  }
  subscriber.send(words);
  for (std::size_t i = 1; i < words.size(); ++i)
    CHECK(subscriber.receive() == "*[subscribe " + words[i] + " " + std::to_string(i) + "]");
  for (std::size_t i = 1; i < words.size(); ++i) {
    CHECK(publisher.ask({"PUBLISH", words[i], "hello " + std::to_string(i)}) == "1");
    CHECK(subscriber.receive() == "*[message " + words[i] + " hello " + std::to_string(i) + "]");
  }
  CHECK(publisher.ask({"PUBLISH", "nobody's", "x"}) == "0");
  CHECK(subscriber.ask({"PING"}) == "*[pong ]");
  CHECK_THAT(subscriber.ask({"GET", "x"}), StartsWith("-ERR Can't execute 'get'"));
  const std::string large(3'000'000, 'm');
  CHECK(publisher.ask({"PUBLISH", words[1], large}) == "1");
  CHECK(subscriber.receive() == "*[message " + words[1] + " " + large + "]");

  RedisClient patterns(two.port());
  CHECK(patterns.ask({"PSUBSCRIBE", "*-key"}) == "*[psubscribe *-key 1]");
  for (std::uint32_t i : {0U, 1U}) {
    CHECK(publisher.ask({"PUBLISH", two.on(i, 7), "p"}) == "1");
    CHECK(patterns.receive() == "*[pmessage *-key " + two.on(i, 7) + " p]");
  }
  subscriber.send({"UNSUBSCRIBE"});
  for (std::size_t i = 1; i < words.size(); ++i)
    CHECK_THAT(subscriber.receive(), StartsWith("*[unsubscribe "));
  CHECK(subscriber.ask({"SET", two.on(0), "an ordinary client again"}) == "OK");
  CHECK(eventually([&] { return subscribers(two.s0, two.on(0)) == "*[" + two.on(0) + " 0]"; }));
}

TEST_CASE("in RESP3 messages come beside the replies of an ordinary client") {
  Shards two;
  RedisClient client(two.port());
  RedisClient publisher(two.port());
  const std::string channel = two.on(0);
  CHECK_THAT(client.ask({"HELLO", "3"}), StartsWith("%["));
  CHECK(client.ask({"SUBSCRIBE", channel, two.on(1)}) == ">[subscribe " + channel + " 1]");
  CHECK(client.receive() == ">[subscribe " + two.on(1) + " 2]");
  CHECK(client.ask({"SET", channel, "value"}) == "OK");
  CHECK(client.ask({"RPUSH", two.on(0, 1), "message", channel, "no message"}) == "3");
  CHECK(client.ask({"LRANGE", two.on(0, 1), "0", "-1"}) == "*[message " + channel + " no message]");
  for (int i = 0; i < 20; ++i) {
    CHECK(publisher.ask({"PUBLISH", two.on(i % 2 == 0 ? 0 : 1), std::to_string(i)}) == "1");
    CHECK(client.receive() == ">[message " + two.on(i % 2 == 0 ? 0 : 1) + " " + std::to_string(i) + "]");
    CHECK(client.ask({"GET", channel}) == "value");
  }
  client.send({"BLPOP", two.on(1), "0"});
  CHECK(eventually([&] { return blocked(two.s1) == 1; }));
  CHECK(publisher.ask({"PUBLISH", channel, "while it is blocked"}) == "1");
  CHECK(client.receive() == ">[message " + channel + " while it is blocked]");
  publisher.ask({"RPUSH", two.on(1), "element"});
  CHECK(client.receive() == "*[" + two.on(1) + " element]");
  CHECK(client.ask({"WATCH", channel}) == "OK");
  CHECK(client.ask({"MULTI"}) == "OK");
  CHECK(client.ask({"GET", channel}) == "QUEUED");
  publisher.ask({"SET", channel, "changed"});
  CHECK(client.ask({"EXEC"}) == "(nil)");
  CHECK_THAT(client.ask({"SELECT", "1"}), StartsWith("-ERR SELECT is not supported"));
  client.send({"UNSUBSCRIBE"});
  for (int i = 0; i < 2; ++i) CHECK_THAT(client.receive(), StartsWith(">[unsubscribe "));
  CHECK(client.ask({"SELECT", "1"}) == "OK");
  CHECK(client.ask({"GET", channel}) == "(nil)");
  CHECK(client.ask({"MULTI"}) == "OK");
  CHECK(client.ask({"SET", channel, "of database 1"}) == "QUEUED");
  CHECK(client.ask({"EXEC"}) == "*[OK]");
  CHECK(publisher.ask({"GET", channel}) == "changed");
}

TEST_CASE("a subscriber sees its confirmation before the first message, under load") {
  Shards two;
  const std::string channel = two.on(0);
  std::atomic<bool> stop{false};
  std::thread load([&] {
    RedisClient publisher(two.port());
    while (!stop) publisher.ask({"PUBLISH", channel, "x"});
  });
  RedisClient subscriber(two.port());
  for (int i = 0; i < 100; ++i) {
    subscriber.send({"SUBSCRIBE", two.on(1), channel});
    CHECK(subscriber.receive() == "*[subscribe " + two.on(1) + " 1]");
    CHECK(subscriber.receive() == "*[subscribe " + channel + " 2]");
    CHECK(subscriber.receive() == "*[message " + channel + " x]");
    subscriber.send({"UNSUBSCRIBE"});
    int ends = 0;
    while (ends < 2) {
      const std::string said = subscriber.receive();
      if (said.starts_with("*[unsubscribe ")) ++ends;
      if (said == "(closed)") break;
    }
    REQUIRE(ends == 2);
  }
  stop = true;
  load.join();
}

TEST_CASE("a subscriber that does not read is closed, and its publisher goes on") {
  Shards two;
  const std::string channel = two.on(0);
  RedisClient slow(two.port());
  CHECK(slow.ask({"SUBSCRIBE", channel}) == "*[subscribe " + channel + " 1]");
  RedisClient publisher(two.port());
  const std::string message(200'000, 'm');
  CHECK(eventually([&] {
    publisher.ask({"PUBLISH", channel, message});
    return two.proxy.listener().clients_slow == 1;
  }));
  CHECK(eventually([&] { return publisher.ask({"PUBLISH", channel, "x"}) == "0"; }));
  CHECK(eventually([&] { return two.proxy.snapshot().buffered_bytes < 100'000; }));
}

TEST_CASE("a subscriber whose server ends is closed, and so is one whose channels have moved") {
  Shards two;
  const std::string channel = two.on(0);
  RedisClient subscriber(two.port());
  CHECK(subscriber.ask({"SUBSCRIBE", channel}) == "*[subscribe " + channel + " 1]");
  SECTION("the connection ends") {
    kill_connections(two.s0);
  }
  SECTION("the configuration has other servers") {
    two.listener.backends = {backend("s1", two.s1.port())};
    REQUIRE(two.proxy.apply(two.listener));
  }
  CHECK(subscriber.receive() == "(closed)");
  CHECK(eventually([&] { return subscribers(two.s0, channel) == "*[" + channel + " 0]"; }));
}

TEST_CASE("a reload that changes no place leaves subscribers and blocked clients alone") {
  Shards two;
  const std::string channel = two.on(0);
  RedisClient subscriber(two.port());
  RedisClient waits(two.port());
  CHECK(subscriber.ask({"SUBSCRIBE", channel}) == "*[subscribe " + channel + " 1]");
  waits.send({"BLPOP", two.on(1), "0"});
  CHECK(eventually([&] { return blocked(two.s1) == 1; }));
  two.listener.timeouts.queue = 3s;
  REQUIRE(two.proxy.apply(two.listener));
  RedisClient other(two.port());
  CHECK(other.ask({"PUBLISH", channel, "x"}) == "1");
  CHECK(subscriber.receive() == "*[message " + channel + " x]");
  CHECK(other.ask({"RPUSH", two.on(1), "e"}) == "1");
  CHECK(waits.receive() == "*[" + two.on(1) + " e]");
}

TEST_CASE("a drain does not wait for who is subscribed, or blocked") {
  Shards two;
  RedisClient subscriber(two.port());
  RedisClient waits(two.port());
  CHECK_THAT(subscriber.ask({"SUBSCRIBE", two.on(0)}), StartsWith("*[subscribe "));
  waits.send({"BLPOP", two.on(1), "0"});
  CHECK(eventually([&] { return blocked(two.s1) == 1; }));
  two.proxy.begin_drain();
  CHECK(subscriber.receive() == "(closed)");
  CHECK(waits.receive() == "(closed)");
  CHECK(eventually([&] { return blocked(two.s1) == 0; }));
}

TEST_CASE("a script that runs too long is ended by another client") {
  Shards two;
  for (std::size_t i : {0U, 1U})
    CHECK(RedisClient(two.server(i).port()).ask({"CONFIG", "SET", "busy-reply-threshold", "50"}) == "OK");
  RedisClient busy(two.port());
  RedisClient other(two.port());
  busy.send({"EVAL", "while true do end", "1", two.on(0)});
  CHECK(eventually([&] { return other.ask({"SCRIPT", "KILL"}) == "OK"; }));
  CHECK_THAT(busy.receive(), StartsWith("-"));
}
