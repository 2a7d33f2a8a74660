// Mode Cluster: commands go where the slots of their keys lie, and no order is lost when slots move.
#include <catch2/catch.hpp>

#include "proxy/redis/decline.hpp"
#include "proxy/redis/lane_kind.hpp"
#include "proxy/redis/slots.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using config::ReadPreference;
using redis::slot_of;
using Verdicts = std::vector<std::string>;

namespace {

// Slots: b 3300, hello 866 and {user1000} 3443 with the first server, c 7365 with the second, a 15495, d
// 11298 and e 15363 with the third.
config::Listener cluster(ReadPreference preference = ReadPreference::primary) {
  config::Listener made = listener(6, config::RedisMode::cluster);
  made.redis.read_preference = preference;
  made.redis.slots = {{0, 5460, 0, {3}}, {5461, 10922, 1, {4}}, {10923, 16383, 2, {5}}};
  return made;
}

struct Cluster : Scene {
  explicit Cluster(ReadPreference preference = ReadPreference::primary) : Scene(cluster(preference)) {}
  /// The slots are like this now.
  void becomes(config::Listener listener) {
    next_config = std::move(listener);
    next = redis::make_core(next_config, availability);
    next->rebind(relay.session());
  }
  config::Listener next_config;
  std::shared_ptr<const ProtocolCore> next;
};

/// All that the first server has, the fourth has now.
config::Listener after_failover() {
  config::Listener made = cluster();
  made.redis.slots[0] = {0, 5460, 3, {}};
  return made;
}

constexpr const char* kCrossSlot = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";

}  // namespace

TEST_CASE("a command goes to the server that its key's slot lies with") {
  Cluster scene;
  for (const char* line : {"get b", "set hello 1", "set {user1000}x 1", "rename {b}1 {b}2", "eval x 1 b",
                           "xadd b * f v", "mget {b}1 {b}2", "publish b x"}) {
    INFO(line);
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"pass 0"});
  }
  scene.send("get c");
  scene.send("get a");
  CHECK(scene.verdicts() == Verdicts{"pass 1", "need_more", "pass 2"});
  Cluster one_node(ReadPreference::primary);
  one_node.availability.up = {true, true, false, true, true, true};
  one_node.send("get a");  // it is not elsewhere because its server is down
  CHECK(one_node.verdicts() == Verdicts{"pass 2"});
}

TEST_CASE("what can be split is split by slots, and put together in the order of the keys") {
  Cluster scene;
  scene.send("mget a b {a}2 c hello");
  CHECK(scene.verdicts() == Verdicts{"ask 2 " + request({"mget", "a", "{a}2"}),
                                     "ask 0 " + request({"mget", "b"}), "ask 1 " + request({"mget", "c"}),
                                     "ask 0 " + request({"mget", "hello"}), "gather"});
  scene.relay.deliver(0, "*1\r\n$1\r\nB\r\n");
  scene.relay.deliver(0, "*1\r\n$1\r\nH\r\n");
  scene.relay.deliver(2, "*2\r\n$1\r\nA\r\n$-1\r\n");
  scene.relay.deliver(1, "*1\r\n$1\r\nC\r\n");
  CHECK(scene.answer() == "*5\r\n$1\r\nA\r\n$1\r\nB\r\n$-1\r\n$1\r\nC\r\n$1\r\nH\r\n");
  scene.send("del d e");  // two slots of one server
  CHECK(scene.verdicts() ==
        Verdicts{"ask 2 " + request({"del", "d"}), "ask 2 " + request({"del", "e"}), "gather"});
  scene.relay.deliver(2, ":1\r\n");
  scene.relay.deliver(2, ":1\r\n");
  CHECK(scene.answer() == ":2\r\n");
  scene.send("mset b 1 c 2");
  CHECK(scene.verdicts() ==
        Verdicts{"ask 0 " + request({"mset", "b", "1"}), "ask 1 " + request({"mset", "c", "2"}), "gather"});
}

TEST_CASE("keys of several slots are refused as Redis does, also where one server has them all") {
  Cluster scene;
  for (const char* line : {"rename d e", "sunion b c", "eval x 2 d e", "blpop d e 0", "msetnx d 1 e 2",
                           "watch d e", "sort d store e"}) {
    INFO(line);
    scene.send(line);
    CHECK(scene.answer() == kCrossSlot);
  }
  scene.send("multi");
  scene.send("set d 1");
  scene.send("set e 1");
  CHECK(scene.answer() == "+OK\r\n+QUEUED\r\n" + std::string(kCrossSlot));
  scene.send("exec");
  CHECK(scene.answer() == "-EXECABORT Transaction discarded because of previous errors.\r\n");
}

TEST_CASE("what is about all keys goes to all primaries") {
  Cluster scene(ReadPreference::prefer_replica);
  scene.send("dbsize");
  CHECK(scene.verdicts() == Verdicts{"ask 0 " + request({"dbsize"}), "ask 1 " + request({"dbsize"}),
                                     "ask 2 " + request({"dbsize"}), "gather"});
  for (const BackendIndex i : {0U, 1U, 2U}) scene.relay.deliver(i, ":2\r\n");
  CHECK(scene.answer() == ":6\r\n");
  scene.send("pubsub numpat");  // each has some of the patterns
  for (const BackendIndex i : {0U, 1U, 2U}) scene.relay.deliver(i, ":" + std::to_string(i) + "\r\n");
  CHECK(scene.answer() == ":3\r\n");
  scene.send("scan 0");
  CHECK(scene.verdicts().back() == "gather");
  CHECK(*scene.relay.owed(0) == request({"scan", "0"}));
  scene.relay.deliver(0, "*2\r\n$1\r\n0\r\n*0\r\n");
  CHECK(scene.answer() == "*2\r\n$1\r\n1\r\n*0\r\n");
  scene.becomes(after_failover());
  scene.send("scan 1");
  CHECK(scene.verdicts().back() == "gather");
  scene.relay.deliver(1, "*2\r\n$1\r\n7\r\n*0\r\n");
  CHECK(scene.answer() == "*2\r\n$5\r\n28673\r\n*0\r\n");
  scene.send("scan 2");
  scene.relay.deliver(2, "*2\r\n$1\r\n0\r\n*0\r\n");
  CHECK(scene.answer() == "*2\r\n$1\r\n0\r\n*0\r\n");
  scene.send("scan 0");  // the first shard, whoever has it
  CHECK(scene.relay.owed(3) != nullptr);
}

TEST_CASE("a slot that is nobody's is waited for, and told in the end") {
  config::Listener part = cluster();
  part.redis.slots.erase(part.redis.slots.begin() + 1);
  Scene scene(part);
  scene.send("get c");
  CHECK(scene.relay.waiting);
  scene.relay.give_up();
  CHECK(scene.answer() == "-ERR no backend is available\r\n");
  scene.send("set c 1");  // at once from now on
  CHECK(scene.answer() == "-ERR no backend is available\r\n");
  scene.send("get b");
  CHECK(scene.verdicts().back() == "pass 0");
  scene.relay.deliver(0, "$-1\r\n");
  scene.answer();
  Scene in_transaction(part);  // where it is waited for as well, and not for ever
  in_transaction.send("multi");
  in_transaction.send("set c 1");
  CHECK(in_transaction.relay.waiting);
  in_transaction.relay.give_up();
  CHECK_FALSE(in_transaction.relay.waiting);
  CHECK(in_transaction.answer() == "+OK\r\n-ERR no backend is available\r\n");
  in_transaction.send("exec");
  CHECK(in_transaction.answer() == "-EXECABORT Transaction discarded because of previous errors.\r\n");
  config::Listener empty = cluster();
  empty.redis.slots.clear();
  Scene nothing(empty);
  for (const char* line : {"get c", "dbsize", "scan 0", "time", "mget a b"}) {
    INFO(line);
    nothing.send(line);
    nothing.relay.give_up();
    CHECK(nothing.answer() == "-ERR no backend is available\r\n");
  }
}

TEST_CASE("reads by key go to a replica of the slot, by connections that say so") {
  const std::string kind =
      "/" + std::to_string(static_cast<int>(redis::lane_kind(redis::Resp::two, 0, true)));
  Cluster scene(ReadPreference::prefer_replica);
  scene.send("get b");
  scene.send("set b 1");
  scene.send("zrange {c}z 0 -1");
  CHECK(scene.verdicts() == Verdicts{"pass 3" + kind, "need_more", "pass 0", "need_more", "pass 4" + kind});
  scene.send("mget a b");
  CHECK(scene.verdicts() == Verdicts{"ask 5" + kind + " " + request({"mget", "a"}),
                                     "ask 3" + kind + " " + request({"mget", "b"}), "gather"});
  scene.availability.up[3] = false;
  scene.send("get b");
  CHECK(scene.verdicts() == Verdicts{"pass 0"});

  Cluster insists(ReadPreference::replica);
  insists.availability.up[3] = false;
  insists.send("get b");
  CHECK(insists.relay.waiting);

  Cluster nearest(ReadPreference::nearest);
  nearest.availability.away = {100, 300, 100, 200, 200, 100};
  nearest.send("get b");
  nearest.send("get c");
  CHECK(nearest.verdicts() == Verdicts{"pass 0", "need_more", "pass 4" + kind});
}

TEST_CASE("who has a transaction, or watches keys, reads from the primary") {
  Cluster scene(ReadPreference::prefer_replica);
  scene.send("watch b");
  scene.send("get b");
  CHECK(scene.verdicts() == Verdicts{"settle", "pass 0 keep", "need_more", "pass 0 keep"});
}

TEST_CASE("a slot's new server is asked when all that came before is answered") {
  Cluster scene;
  scene.send("set b 1");
  scene.send("set c 1");
  scene.verdicts();
  scene.becomes(after_failover());
  scene.send("set b 2");
  CHECK(scene.verdicts() == Verdicts{"settle"});
  scene.relay.deliver(0, "+OK\r\n");
  CHECK(scene.verdicts().empty());
  scene.relay.deliver(1, "+OK\r\n");
  CHECK(scene.verdicts() == Verdicts{"pass 3"});
  scene.send("set b 3");
  CHECK(scene.verdicts() == Verdicts{"pass 3"});
}

TEST_CASE("watched keys stay watched while their slot stays, and are lost with it") {
  for (const bool moves : {false, true}) {
    INFO(moves);
    Cluster scene;
    scene.send("watch " + std::string(moves ? "b" : "c"));
    scene.relay.deliver_leased(moves ? 0 : 1, "+OK\r\n");
    scene.answer();
    scene.becomes(after_failover());
    scene.send("multi");
    scene.send("set " + std::string(moves ? "b" : "c") + " 1");
    scene.answer();
    scene.send("exec");
    if (moves) {
      CHECK(scene.answer() ==
            "-EXECABORT Transaction discarded because the connection that watched its keys was lost\r\n");
    } else {
      CHECK(scene.relay.leased_owed(1) != nullptr);
    }
  }
}

TEST_CASE("a transaction goes where its slot lies by then") {
  Cluster scene;
  scene.send("multi");
  scene.send("set b 1");
  scene.becomes(after_failover());
  scene.send("get b");
  scene.send("exec");
  REQUIRE(scene.relay.owed(3) != nullptr);
  CHECK(*scene.relay.owed(3) ==
        request({"MULTI"}) + request({"set", "b", "1"}) + request({"get", "b"}) + request({"EXEC"}));
}

TEST_CASE("patterns and channels are subscribed to once, for every server hears all") {
  Cluster scene;
  scene.send("psubscribe *");
  CHECK(scene.verdicts() == Verdicts{"settle", "ask 0 keep " + request({"psubscribe", "*"}), "gather"});
  scene.relay.deliver_leased(0, "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n");
  scene.send("subscribe a b c");
  std::size_t asks = 0;
  for (const auto& verdict : scene.verdicts()) asks += verdict.starts_with("ask") ? 1 : 0;
  CHECK(asks == 3);
  for (const BackendIndex i : {0U, 1U, 2U}) {
    while (scene.relay.leased_owed(i) != nullptr)
      scene.relay.deliver_leased(i, "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n");
  }
  CHECK(scene.relay.listens(0));
  scene.becomes(after_failover());
  scene.relay.check_leases();
  CHECK_FALSE(scene.relay.closed());
}

TEST_CASE("sharded channels are asked for one by one, and followed") {
  Cluster scene;
  scene.send("ssubscribe d e b");
  CHECK(scene.verdicts() == Verdicts{"settle", "ask 0 keep " + request({"ssubscribe", "b"}),
                                     "ask 2 keep " + request({"ssubscribe", "d"}),
                                     "ask 2 keep " + request({"ssubscribe", "e"}), "gather"});
  for (const BackendIndex i : {0U, 2U, 2U})
    scene.relay.deliver_leased(i, "*3\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n:1\r\n");
  scene.relay.check_leases();
  CHECK_FALSE(scene.relay.closed());
  scene.becomes(after_failover());
  scene.relay.check_leases();
  CHECK(scene.relay.closed());
}

TEST_CASE("there is one database") {
  Cluster scene;
  scene.send("select 0");
  CHECK(scene.answer() == "+OK\r\n");
  scene.send("select 1");
  CHECK(scene.answer() == "-ERR SELECT is not allowed in cluster mode\r\n");
}

TEST_CASE("what waits for a server that is lost goes where its slot is now") {
  Cluster before(ReadPreference::prefer_replica);
  const auto home = [](const char* key) { return static_cast<Home>(slot_of(key)); };
  CHECK(before.core->elsewhere(0, home("b"), false) == kNoBackend);
  CHECK(before.core->elsewhere(4, home("b"), true) == 0);
  CHECK(before.core->elsewhere(kNoBackend, home("c"), false) == 1);
  CHECK(before.core->elsewhere(0, Home::anywhere, false) == kNoBackend);
  before.becomes(after_failover());
  CHECK(before.next->elsewhere(0, home("b"), false) == 3);
  CHECK(before.next->elsewhere(3, home("b"), false) == kNoBackend);

  const auto read = [](const char* key) { return static_cast<Home>(slot_of(key) + 16384); };
  CHECK(before.core->elsewhere(3, read("b"), false) == kNoBackend);  // it is reached in a moment
  CHECK(before.core->elsewhere(3, read("b"), true) == 0);
  before.availability.up[3] = false;
  CHECK(before.core->elsewhere(3, read("b"), false) == 0);
}

TEST_CASE("a server that another one names is found, and its own host may be left out") {
  config::Listener made = cluster();
  made.backends[1] = {"x", "10.0.0.1", 7001, 1};
  made.backends[2] = {"y", "::1", 7002, 1};
  made.backends[3] = {"z", "10.0.0.1", 7003, 1};
  Scene scene(made);
  CHECK(scene.core->named(0, "10.0.0.1:7001") == 1);
  CHECK(scene.core->named(0, "::1:7002") == 2);
  CHECK(scene.core->named(1, ":7003") == 3);
  for (const char* other :
       {"10.0.0.1:7009", "10.0.0.2:7001", "nonsense", "", ":", "10.0.0.1:", "10.0.0.1:x", ":7003"}) {
    INFO(other);
    CHECK(scene.core->named(0, other) == kNoBackend);
  }
}

TEST_CASE("redirections are told from other errors") {
  const auto read = [](const std::string& reply) { return redis::read_decline(reply, redis::Heeds::slots); };
  CHECK(read("-MOVED 3999 127.0.0.1:6381\r\n").why == Decline::moved);
  CHECK(read("-MOVED 3999 127.0.0.1:6381\r\n+OK\r\n").to == "127.0.0.1:6381");
  CHECK(read("-ASK 0 :6381\r\n").why == Decline::once);
  CHECK(read("-ASK 0 ::1:6381\r\n").to == "::1:6381");
  CHECK(read("-TRYAGAIN Multiple keys request during rehashing of slot\r\n").why == Decline::later);
  CHECK(read("-CLUSTERDOWN Hash slot not served\r\n").why == Decline::later);
  CHECK(read("-CLUSTERDOWN The cluster is down\r\n").why == Decline::not_it);
  CHECK(read("-LOADING Redis is loading\r\n").why == Decline::not_it);
  for (const char* other :
       {"-MOVED\r\n", "-MOVED 1\r\n", "-MOVED 16384 a:1\r\n", "-MOVED x a:1\r\n", "-ASK 1 here\r\n",
        "+MOVED 1 a:1\r\n", "-ERR MOVED 1 a:1\r\n", "$5\r\n-ASK \r\n"}) {
    INFO(other);
    CHECK(read(other).why == Decline::none);
  }
  CHECK(redis::read_decline("-MOVED 3999 127.0.0.1:6381\r\n", redis::Heeds::roles).why == Decline::none);
}
