// What nodes of a Redis Cluster send on because the slots of its keys lie elsewhere, or are just being moved:
// it is done, in its order, and the client does not notice. The nodes are real; what the proxy knows of them
// is what the test says.
#include <atomic>
#include <thread>

#include "cores.hpp"
#include "test/component/proxy/app/redis.hpp"

namespace {

using namespace ambassador;
using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using running::backend;
namespace net = proxy::net;

std::vector<std::string> as_node() {
  return {"--cluster-enabled",      "yes",  "--cluster-port",        std::to_string(free_port()),
          "--cluster-node-timeout", "5000", "--cluster-config-file", "nodes.conf"};
}

/// Two nodes that share the slots: up to 8191, of which `hello` has 866, `b` 3300 and `c` 7365, and the rest,
/// of which `a` has 15495; and a proxy that knows so.
struct Two {
  RedisServer s0{free_port(), as_node()}, s1{free_port(), as_node()};
  config::Listener listener = running::listener_named("cache", config::Protocol::redis, {});
  std::atomic<int> doubts{0};
  running::Proxy proxy;

  explicit Two(std::chrono::milliseconds queue = 5s) : proxy(running::cores(), options()) {
    at(s0, {"SET-CONFIG-EPOCH", "1"});
    at(s1, {"SET-CONFIG-EPOCH", "2"});
    at(s0, {"ADDSLOTSRANGE", "0", "8191"});
    at(s1, {"ADDSLOTSRANGE", "8192", "16383"});
    const std::string bus = RedisClient(s1.port()).ask({"CONFIG", "GET", "cluster-port"});
    at(s0, {"MEET", "127.0.0.1", std::to_string(s1.port()), bus.substr(15, bus.size() - 16)});
    for (const RedisServer* server : {&s0, &s1}) {
      REQUIRE(eventually([&] {
        const std::string info = RedisClient(server->port()).ask({"CLUSTER", "INFO"});
        return info.find("cluster_state:ok") != std::string::npos &&
               info.find("cluster_slots_ok:16384") != std::string::npos;
      }));
    }
    listener.backends = {backend("s0", s0.port()), backend("s1", s1.port())};
    listener.redis.mode = config::RedisMode::cluster;
    listener.redis.slots = {{0, 8191, 0, {}}, {8192, 16383, 1, {}}};
    listener.timeouts.queue = queue;
    REQUIRE(proxy.apply(listener));
  }
  net::Options options() {
    net::Options made;
    made.ask_standing = [this](const std::string&) { ++doubts; };
    return made;
  }
  static void at(const RedisServer& server, std::vector<std::string> words) {
    words.insert(words.begin(), "CLUSTER");
    REQUIRE(RedisClient(server.port()).ask(words) == "OK");
  }
  static std::string id(const RedisServer& server) {
    return RedisClient(server.port()).ask({"CLUSTER", "MYID"});
  }

  // The slot goes from the first node to the second.
  void begin_to_move(int slot) const {
    at(s1, {"SETSLOT", std::to_string(slot), "IMPORTING", id(s0)});
    at(s0, {"SETSLOT", std::to_string(slot), "MIGRATING", id(s1)});
  }
  void move_keys(const std::vector<std::string>& keys) const {
    std::vector<std::string> words{"MIGRATE", "127.0.0.1", std::to_string(s1.port()), "", "0",
                                   "5000",    "KEYS"};
    words.insert(words.end(), keys.begin(), keys.end());
    REQUIRE(RedisClient(s0.port()).ask(words) == "OK");
  }
  void end_move(int slot) const {
    for (const RedisServer* server : {&s1, &s0})
      at(*server, {"SETSLOT", std::to_string(slot), "NODE", id(s1)});
  }
  void move(int slot, const std::vector<std::string>& keys) const {
    begin_to_move(slot);
    if (!keys.empty()) move_keys(keys);
    end_move(slot);
  }
  /// The proxy learns that the slot is the second node's.
  void tell(std::uint16_t slot) {
    listener.redis.slots = {{0, static_cast<std::uint16_t>(slot - 1), 0, {}},
                            {slot, slot, 1, {}},
                            {static_cast<std::uint16_t>(slot + 1), 8191, 0, {}},
                            {8192, 16383, 1, {}}};
    REQUIRE(proxy.apply(listener));
  }
};

}  // namespace

TEST_CASE("a command for a slot that has moved is done where that is now") {
  Two two;
  RedisClient client(two.listener.port);
  CHECK(client.ask({"SET", "b", "1"}) == "OK");
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  two.move(3300, {"b"});
  CHECK(client.ask({"GET", "b"}) == "1");
  CHECK(client.ask({"INCR", "b"}) == "2");
  CHECK(client.ask({"MGET", "b", "a", "hello"}) == "*[2 1 (nil)]");
  CHECK(eventually([&] { return two.doubts > 0; }));
  two.tell(3300);
  const std::string before = two.s0.info("commandstats", "cmdstat_incr");
  CHECK(client.ask({"INCR", "b"}) == "3");
  CHECK(two.s0.info("commandstats", "cmdstat_incr") == before);
}

TEST_CASE("while a slot is moved its keys are found on either side, and new ones made on the other") {
  Two two;
  RedisClient client(two.listener.port);
  CHECK(client.ask({"MSET", "{b}1", "one", "{b}2", "two"}) == "OK");
  two.begin_to_move(3300);
  two.move_keys({"{b}1"});
  for (int i = 0; i < 3; ++i) {
    CHECK(client.ask({"GET", "{b}1"}) == "one");
    CHECK(client.ask({"GET", "{b}2"}) == "two");
    CHECK(client.ask({"INCR", "{b}3"}) == std::to_string(i + 1));
  }
  CHECK(two.s0.keys() == 1);
  CHECK(two.s1.keys() == 2);
  CHECK(client.ask({"SET", "{b}1", std::string(100'000, 'x')}) == "OK");
  CHECK(client.ask({"STRLEN", "{b}1"}) == "100000");
}

TEST_CASE("a pipeline keeps its order while its slot is moved, whatever is known of it when") {
  Two two;
  std::string expected;
  std::vector<std::vector<std::string>> pipeline;
  for (int i = 0; i < 3000; ++i) {
    pipeline.push_back({"APPEND", "b", std::to_string(i) + ","});
    expected += pipeline.back()[2];
  }
  RedisClient client(two.listener.port);
  int wrong = 0;
  std::size_t length = 0;
  const auto hear = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      length += pipeline[static_cast<std::size_t>(i)][2].size();
      if (client.receive() != std::to_string(length)) ++wrong;
    }
  };
  const auto at = [&](int i) { return pipeline.begin() + i; };
  client.send_at_once({at(0), at(500)});
  hear(0, 100);
  two.begin_to_move(3300);
  client.send_at_once({at(500), at(1000)});
  hear(100, 700);
  two.move_keys({"b"});
  client.send_at_once({at(1000), at(1500)});
  two.end_move(3300);
  client.send_at_once({at(1500), at(2500)});
  std::thread teller([&] { two.tell(3300); });
  client.send_at_once({at(2500), at(3000)});
  hear(700, 3000);
  teller.join();
  CHECK(wrong == 0);
  CHECK(client.ask({"GET", "b"}) == expected);
}

TEST_CASE(
    "a command with keys on both sides is asked again until they are together, and holds up no other "
    "client") {
  Two two;
  RedisClient client(two.listener.port);
  RedisClient other(two.listener.port);
  CHECK(client.ask({"MSET", "{b}1", "one", "{b}2", "two"}) == "OK");
  two.begin_to_move(3300);
  two.move_keys({"{b}1"});
  client.send_at_once({{"MSET", "{b}1", "1", "{b}2", "2"}, {"GET", "{b}2"}});
  client.send({"GET", "{b}1"});
  for (int i = 0; i < 200; ++i) REQUIRE(other.ask({"GET", "{b}2"}) == "two");
  std::this_thread::sleep_for(250ms);  // it has been asked more than once by then
  two.move_keys({"{b}2"});
  two.end_move(3300);
  CHECK(client.receive() == "OK");
  CHECK(client.receive() == "2");
  CHECK(client.receive() == "1");
}

TEST_CASE("a transaction waits for its slot, and goes on with it") {
  Two two;
  RedisClient client(two.listener.port);
  CHECK(client.ask({"SET", "b", "1"}) == "OK");
  two.begin_to_move(3300);
  two.move_keys({"b"});
  client.send_at_once({{"MULTI"}, {"INCR", "b"}, {"INCR", "b"}, {"EXEC"}});
  CHECK(client.receive() == "OK");
  CHECK(client.receive() == "QUEUED");
  CHECK(client.receive() == "QUEUED");
  CHECK(eventually([&] { return two.doubts > 0; }));
  two.end_move(3300);
  CHECK(client.receive() == "*[2 3]");
  client.send_at_once({{"MULTI"}, {"INCR", "b"}, {"EXEC"}});  // it is sent to the first one still
  CHECK(client.receive() == "OK");
  CHECK(client.receive() == "QUEUED");
  CHECK(client.receive() == "*[4]");
}

TEST_CASE("what blocks goes on blocking where its slot is now") {
  Two two;
  RedisClient client(two.listener.port);
  client.send({"BLPOP", "{b}list", "0"});
  REQUIRE(eventually([&] { return two.s0.info("clients", "blocked_clients") == "1"; }));
  two.move(3300, {});
  REQUIRE(eventually([&] { return two.s1.info("clients", "blocked_clients") == "1"; }));
  CHECK(RedisClient(two.listener.port).ask({"RPUSH", "{b}list", "x"}) == "1");
  CHECK(client.receive() == "*[{b}list x]");
  CHECK(client.ask({"SET", "b", "1"}) == "OK");
}

TEST_CASE("a transaction is not done when the slot of its watched keys has moved") {
  Two two;
  RedisClient client(two.listener.port);
  CHECK(client.ask({"SET", "b", "1"}) == "OK");
  CHECK(client.ask({"WATCH", "b"}) == "OK");
  two.move(3300, {"b"});
  CHECK(client.ask({"MULTI"}) == "OK");
  CHECK(client.ask({"SET", "b", "2"}) == "QUEUED");
  CHECK_THAT(client.ask({"EXEC"}), StartsWith("-EXECABORT"));
  CHECK(client.ask({"GET", "b"}) == "1");

  CHECK(client.ask({"WATCH", "{b}2"}).starts_with("-ERR"));  // the next time it is known where that is
  CHECK_THAT(client.ask({"GET", "b"}), !StartsWith("-MOVED"));
  CHECK(client.ask({"UNWATCH"}) == "OK");
  two.tell(3300);
  CHECK(client.ask({"WATCH", "{b}2"}) == "OK");
  client.send_at_once({{"MULTI"}, {"INCR", "b"}, {"EXEC"}});
  CHECK(client.receive() == "OK");
  CHECK(client.receive() == "QUEUED");
  CHECK(client.receive() == "*[2]");
}

TEST_CASE("a node that is named and not known yet is waited for, until the time is over") {
  Two two(700ms);
  const auto all = two.listener;
  two.listener.backends.resize(1);
  two.listener.redis.slots = {{0, 16383, 0, {}}};
  REQUIRE(two.proxy.apply(two.listener));
  RedisClient client(two.listener.port);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(client.ask({"SET", "a", "1"}) ==
        "-ERR backend s0 can't do this for now; the command was not carried out");
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took >= 650ms);
  CHECK(took < 3s);
  CHECK(client.ask({"SET", "b", "1"}) == "OK");
  const int doubts = two.doubts;
  client.send({"SET", "a", "2"});
  CHECK(eventually([&] { return two.doubts > doubts; }));
  REQUIRE(two.proxy.apply(all));
  CHECK(client.receive() == "OK");
  CHECK(RedisClient(two.s1.port()).ask({"GET", "a"}) == "2");
}

TEST_CASE(
    "what reads is asked of a slot's next node when the one before is silent, and is no node any more") {
  Two two;
  RedisClient reads(two.listener.port), writes(two.listener.port);
  CHECK(writes.ask({"SET", "b", "1"}) == "OK");
  two.move(3300, {"b"});
  two.s0.freeze();
  writes.send({"SET", "b", "2"});
  reads.send({"GET", "b"});
  two.proxy.probe_targets().at(0).upstream->probed(false, "it is silent", std::chrono::steady_clock::now());
  REQUIRE(eventually([&] { return two.proxy.backend(0).owed == 2; }));
  two.listener.backends.erase(two.listener.backends.begin());
  two.listener.redis.slots = {{3300, 3300, 0, {}}, {8192, 16383, 0, {}}};
  REQUIRE(two.proxy.apply(two.listener));
  CHECK_THAT(writes.receive(), StartsWith("-ERR backend s0 did not answer in time"));
  CHECK(reads.receive() == "1");
}

TEST_CASE("a command that is too large to be kept gets an error, and what is behind it goes on") {
  Two two;
  RedisClient client(two.listener.port);
  two.move(3300, {});
  CHECK(client.ask({"SET", "b", std::string(20 << 20, 'x')}) ==
        "-ERR backend s0 can't do this for now; the command was not carried out");
  CHECK(client.ask({"SET", "b", "1"}) == "OK");
  CHECK(client.ask({"GET", "b"}) == "1");
}

TEST_CASE("servers that name each other in turn are not asked in a race, and not for ever") {
  RedisServer s0, s1;  // they say so by a script
  REQUIRE(RedisClient(s0.port()).ask({"SET", "other", std::to_string(s1.port())}) == "OK");
  REQUIRE(RedisClient(s1.port()).ask({"SET", "other", std::to_string(s0.port())}) == "OK");
  auto listener = running::listener_named("cache", config::Protocol::redis, {});
  listener.backends = {backend("s0", s0.port()), backend("s1", s1.port())};
  listener.redis.mode = config::RedisMode::cluster;
  listener.redis.slots = {{0, 8191, 0, {}}, {8192, 16383, 1, {}}};
  listener.timeouts.queue = 500ms;
  running::Proxy proxy(running::cores());
  REQUIRE(proxy.apply(listener));
  RedisClient client(listener.port);
  const std::string script =
      "return redis.error_reply('MOVED 3300 127.0.0.1:' .. redis.call('get', 'other'))";
  CHECK_THAT(client.ask({"EVAL", script, "1", "b"}), StartsWith("-ERR backend s0 can't do this for now"));
  const auto calls = [](const RedisServer& server) {
    const std::string stats = server.info("commandstats", "cmdstat_eval");
    return std::stoi(stats.substr(stats.find('=') + 1));
  };
  CHECK(calls(s1) > 1);
  CHECK(calls(s0) + calls(s1) < 60);
  CHECK(client.ask({"SET", "b", "1"}) == "OK");
}
