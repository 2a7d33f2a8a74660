// What a Redis server declines because it follows another one: it is done by the primary, in its order, and
// the client does not notice. The servers are real; who is the primary is what the test says.
#include <atomic>
#include <thread>

#include "cores.hpp"
#include "test/component/proxy/app/redis.hpp"

namespace {

using namespace ambassador;
using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using proxy::Role;
using proxy::Standing;
using running::backend;
namespace net = proxy::net;

constexpr Standing kPrimary{.role = Role::primary};
constexpr Standing kReplica{.role = Role::replica};

/// Two servers, of which the first is said to be the primary; and a counter of what is in doubt.
struct Pair {
  RedisServer s0, s1;
  config::Listener listener = running::listener_named("cache", config::Protocol::redis, {});
  std::atomic<int> doubts{0};
  running::Proxy proxy;

  explicit Pair(std::chrono::milliseconds queue = 5s) : proxy(running::cores(), options()) {
    listener.backends = {backend("s0", s0.port()), backend("s1", s1.port())};
    listener.redis.mode = config::RedisMode::replicated;
    listener.timeouts.queue = queue;
    REQUIRE(proxy.apply(listener));
    proxy.set_standing(0, kPrimary);
    proxy.set_standing(1, kReplica);
    s1.follow(s0);
  }
  net::Options options() {
    net::Options made;
    made.ask_standing = [this](const std::string&) { ++doubts; };
    return made;
  }
  /// The servers change places, when the next primary has all; the proxy is not told.
  void switch_over() const {
    REQUIRE(eventually([&] {
      return s0.info("replication", "master_repl_offset") == s1.info("replication", "slave_repl_offset");
    }));
    s1.promote();
    s0.follow(s1);
  }
  void tell() {
    proxy.set_standing(0, kReplica);
    proxy.set_standing(1, kPrimary);
  }
};

}  // namespace

TEST_CASE("a write that was declined is done by the next primary, as soon as it is known") {
  Pair pair;
  RedisClient client(pair.listener.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  pair.switch_over();
  client.send({"SET", "a", "2"});
  CHECK(eventually([&] { return pair.doubts > 0; }));
  CHECK(RedisClient(pair.s1.port()).ask({"GET", "a"}) == "1");
  pair.tell();
  CHECK(client.receive() == "OK");
  CHECK(RedisClient(pair.s1.port()).ask({"GET", "a"}) == "2");
  CHECK(client.ask({"GET", "a"}) == "2");
}

TEST_CASE("what was declined is done before what came behind it") {
  Pair pair;
  RedisClient client(pair.listener.port);
  RedisClient other(pair.listener.port);
  CHECK(client.ask({"SET", "list", ""}) == "OK");
  pair.switch_over();
  std::string expected;
  std::vector<std::vector<std::string>> pipeline;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    pipeline.push_back({"APPEND", "list", piece});
    expected += piece;
  }
  const auto half = pipeline.begin() + 1000;
  client.send_at_once({pipeline.begin(), half});
  other.send({"APPEND", "other", "x"});
  CHECK(eventually([&] { return pair.doubts > 0; }));
  std::thread teller([&] { pair.tell(); });
  client.send_at_once({half, pipeline.end()});
  int wrong = 0;
  std::size_t length = 0;
  for (const auto& words : pipeline) {
    length += words[2].size();
    if (client.receive() != std::to_string(length)) ++wrong;
  }
  teller.join();
  CHECK(wrong == 0);
  CHECK(other.receive() == "1");
  CHECK(client.ask({"GET", "list"}) == expected);
}

TEST_CASE("without a primary that is known the same server is asked again, until the time is over") {
  Pair pair(600ms);
  RedisClient client(pair.listener.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  pair.switch_over();
  const auto begin = std::chrono::steady_clock::now();
  CHECK(client.ask({"SET", "a", "2"}) == "-ERR no backend is available");
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took >= 550ms);
  CHECK(took < 3s);
  CHECK(client.ask({"GET", "a"}) == "1");

  client.send({"SET", "a", "3"});
  pair.s0.promote();
  CHECK(client.receive() == "OK");
  CHECK(RedisClient(pair.s0.port()).ask({"GET", "a"}) == "3");
}

TEST_CASE("a transaction that was declined in its middle is done as a whole") {
  Pair pair;
  RedisClient client(pair.listener.port);
  CHECK(client.ask({"SET", "n", "1"}) == "OK");
  pair.switch_over();
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"MULTI"}, {"GET", "n"}, {"INCR", "n"}, {"INCR", "n"}, {"EXEC"}, {"GET", "n"}})
    client.send(words);
  CHECK(eventually([&] { return pair.doubts > 0; }));
  pair.tell();
  for (const char* reply : {"OK", "QUEUED", "QUEUED", "QUEUED", "*[1 2 3]", "3"})
    CHECK(client.receive() == reply);
}

TEST_CASE("who is blocked at a server that is demoted is blocked at the next primary") {
  Pair pair;
  RedisClient client(pair.listener.port);
  client.send({"BLPOP", "queue", "0"});
  CHECK(eventually([&] { return pair.s0.info("clients", "blocked_clients") == "1"; }));
  pair.switch_over();
  CHECK(eventually([&] { return pair.doubts > 0; }));
  pair.tell();
  RedisClient other(pair.listener.port);
  CHECK(eventually([&] { return pair.s1.info("clients", "blocked_clients") == "1"; }));
  CHECK(other.ask({"RPUSH", "queue", "x"}) == "1");
  CHECK(client.receive() == "*[queue x]");
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
}

TEST_CASE("a script that wants to write where it may not is run where it may") {
  Pair pair;
  RedisClient client(pair.listener.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  pair.switch_over();
  client.send({"EVAL", "redis.call('get', KEYS[1]) return redis.call('incr', KEYS[1])", "1", "a"});
  CHECK(eventually([&] { return pair.doubts > 0; }));
  pair.tell();
  CHECK(client.receive() == "2");
}

TEST_CASE("a primary that dies costs an error for what it was sent, and nothing for what comes after") {
  Pair pair;
  RedisClient client(pair.listener.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  client.send({"BLPOP", "queue", "0"});
  CHECK(eventually([&] { return pair.s0.info("clients", "blocked_clients") == "1"; }));
  pair.s0.stop();
  CHECK_THAT(client.receive(), StartsWith("-ERR backend s0 closed the connection"));
  client.send({"SET", "a", "2"});
  pair.s1.promote();
  pair.tell();
  CHECK(client.receive() == "OK");
  CHECK(RedisClient(pair.s1.port()).ask({"GET", "a"}) == "2");
}

TEST_CASE("reads behind a write that was declined see what it wrote") {
  Pair pair;
  RedisClient client(pair.listener.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  pair.switch_over();
  const std::string large(100'000, 'x');
  client.send_at_once({{"GET", "a"}, {"SET", "a", "2"}, {"GET", "a"}, {"SET", "b", large}, {"GET", "b"}});
  CHECK(client.receive() == "1");
  CHECK(eventually([&] { return pair.doubts > 0; }));
  pair.tell();
  for (const std::string& reply : {std::string("OK"), std::string("2"), std::string("OK"), large})
    CHECK(client.receive() == reply);
}

TEST_CASE("a client that is gone while its write waits does no harm") {
  Pair pair;
  RedisClient stays(pair.listener.port);
  CHECK(stays.ask({"SET", "a", "1"}) == "OK");
  running::Client leaves(pair.listener.port);
  pair.switch_over();
  leaves.send("SET a 2\r\n");
  CHECK(eventually([&] { return pair.doubts > 0; }));
  leaves.reset();
  CHECK(eventually([&] { return pair.proxy.clients() == 1; }));
  stays.send({"APPEND", "a", "+"});
  pair.tell();
  CHECK(stays.receive() == "2");
  CHECK(stays.ask({"GET", "a"}) == "2+");
}
