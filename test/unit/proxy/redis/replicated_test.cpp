// Mode Replicated: writes go to the primary, reads where the listener says, and no order is lost when the
// primary is another one.
#include <catch2/catch.hpp>

#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using config::ReadPreference;
using Verdicts = std::vector<std::string>;

namespace {

config::Listener replicated(ReadPreference preference = ReadPreference::primary) {
  config::Listener made = listener(3, config::RedisMode::replicated);
  made.redis.read_preference = preference;
  return made;
}

/// Three servers, of which the second is the primary.
struct Replicas : Scene {
  explicit Replicas(ReadPreference preference = ReadPreference::primary) : Scene(replicated(preference)) {
    availability.leader = 1;
  }
};

constexpr const char* kNobody = "-ERR no backend is available\r\n";

}  // namespace

TEST_CASE("everything goes to the primary, unless something else is asked for") {
  Replicas scene;
  for (const char* line : {"set a 1", "get a", "mget a b c", "dbsize", "scan 0", "publish c x", "time"}) {
    INFO(line);
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"pass 1"});
  }
}

TEST_CASE("reads go to a replica, and what is more than a read to the primary") {
  for (const auto preference : {ReadPreference::prefer_replica, ReadPreference::replica}) {
    Replicas scene(preference);
    for (const char* line :
         {"get a", "mget a b", "zrange z 0 -1", "xread streams s 0", "eval_ro x 0", "dbsize", "exists a b"}) {
      INFO(line);
      scene.send(line);
      CHECK(scene.verdicts() == Verdicts{"pass 2"});
    }
    // Cursors, scripts and evictions are those of one server.
    for (const char* line : {"set a 1", "getdel a", "getex a", "eval x 0", "evalsha_ro x 0", "publish c x",
                             "pfmerge a b", "scan 0", "hscan h 0", "touch a", "time", "script exists x"}) {
      INFO(line);
      scene.send(line);
      CHECK(scene.verdicts() == Verdicts{"pass 1"});
    }
  }
}

TEST_CASE("clients take turns among the replicas, and each stays with its own") {
  Replicas scene(ReadPreference::prefer_replica);
  ToyRelay other(*scene.core, 3);
  const std::string get = request({"get", "a"});
  for (int i = 0; i < 3; ++i) {
    scene.relay.receive(get);
    other.receive(get);
  }
  CHECK(scene.verdicts() == Verdicts{"pass 2", "need_more", "pass 2", "need_more", "pass 2"});
  CHECK(other.verdicts == Verdicts{"pass 0", "need_more", "pass 0", "need_more", "pass 0", "need_more"});
  scene.availability.fit = {true, false, false};
  scene.relay.receive(get);
  CHECK(scene.verdicts() == Verdicts{"pass 0"});
}

TEST_CASE("without a replica that will do, the primary is read, or there is an error in the end") {
  Replicas prefers(ReadPreference::prefer_replica);
  prefers.availability.fit = {false, false, false};
  prefers.send("get a");
  CHECK(prefers.verdicts() == Verdicts{"pass 1"});

  Replicas insists(ReadPreference::replica);
  insists.availability.fit = {false, false, false};
  insists.send("get a");
  CHECK(insists.relay.waiting);
  insists.relay.give_up();
  CHECK(insists.answer() == kNobody);
  insists.send("get a");  // at once from now on
  CHECK(insists.answer() == kNobody);
  insists.send("set a 1");
  CHECK(insists.verdicts().back() == "pass 1");
  insists.relay.deliver(1, "+OK\r\n");
  CHECK(insists.answer() == "+OK\r\n");
  insists.availability.fit = {true, false, false};
  insists.send("get a");
  CHECK(insists.verdicts() == Verdicts{"pass 0"});
}

TEST_CASE("the nearest one answers reads, and another one only if it is nearer by much") {
  Replicas scene(ReadPreference::nearest);
  scene.availability.away = {300, 100, 200};
  scene.send("get a");
  scene.availability.away = {300, 100, 90};
  scene.send("get a");
  scene.availability.away = {300, 100, 70};
  scene.send("get a");
  scene.availability.fit = {true, false, false};
  scene.send("get a");
  CHECK(scene.verdicts() ==
        Verdicts{"pass 1", "need_more", "pass 1", "need_more", "pass 2", "need_more", "pass 1"});
}

TEST_CASE("a new primary is asked when the old one has answered all that this client asked it") {
  Replicas scene(ReadPreference::prefer_replica);
  scene.send("set a 1");
  scene.send("get a");
  scene.availability.leader = 0;
  scene.send("set a 2");
  CHECK(scene.verdicts() == Verdicts{"pass 1", "need_more", "pass 2", "need_more", "settle"});
  CHECK(scene.relay.settling);
  scene.relay.deliver(1, "+OK\r\n");
  scene.relay.deliver(2, "$-1\r\n");
  CHECK(scene.verdicts() == Verdicts{"pass 0"});
  scene.send("set a 3");
  CHECK(scene.verdicts() == Verdicts{"pass 0"});
}

TEST_CASE("that holds as well when there was no primary meanwhile, or the configuration is another one") {
  Replicas scene;
  scene.send("set a 1");
  scene.availability.leader = kNoBackend;
  scene.send("set a 2");
  CHECK(scene.relay.waiting);
  scene.availability.leader = 2;
  scene.relay.go_on();
  CHECK(scene.relay.settling);
  scene.relay.deliver(1, "+OK\r\n");
  CHECK(scene.relay.owed(2) != nullptr);

  ToldAvailability other(3);
  other.leader = 2;
  const auto core = redis::make_core(replicated(), other);
  core->rebind(scene.relay.session());
  scene.verdicts();
  scene.send("set a 3");
  CHECK(scene.verdicts() == Verdicts{"settle"});
  scene.relay.deliver(2, "+OK\r\n");
  CHECK(scene.verdicts() == Verdicts{"pass 2"});
}

TEST_CASE("without a primary clients wait, and get errors when that was in vain") {
  Replicas scene;
  scene.availability.leader = kNoBackend;
  scene.send("set a 1");
  CHECK(scene.relay.waiting);
  scene.relay.give_up();
  CHECK(scene.answer() == kNobody);
  scene.availability.leader = 0;
  scene.send("set a 1");
  scene.relay.deliver(0, "+OK\r\n");
  CHECK(scene.answer() == "+OK\r\n");
}

TEST_CASE("watched keys are watched no more by who is not the primary any more") {
  Replicas scene(ReadPreference::prefer_replica);
  scene.send("watch a");
  scene.relay.deliver_leased(1, "+OK\r\n");
  scene.send("get a");
  CHECK(scene.relay.leased_owed(1) != nullptr);  // what is read between WATCH and EXEC is the primary's
  scene.relay.deliver_leased(1, "$1\r\n1\r\n");
  scene.answer();
  scene.availability.leader = 0;
  for (const char* line : {"multi", "set a 2", "exec"}) scene.send(line);
  CHECK(scene.answer() ==
        "+OK\r\n+QUEUED\r\n-EXECABORT Transaction discarded because the connection that "
        "watched its keys was lost\r\n");
  CHECK_FALSE(scene.relay.leased(1));
  CHECK(scene.relay.owed(0) == nullptr);
}

TEST_CASE("a transaction goes to the primary as a whole") {
  Replicas scene(ReadPreference::replica);
  for (const char* line : {"multi", "get a", "set a 1", "exec"}) scene.send(line);
  CHECK(scene.relay.owed_replies(1) == 4);
}

TEST_CASE("a command that blocks waits at the primary, though it only reads") {
  Replicas scene(ReadPreference::replica);
  scene.send("xread block 0 streams s 0");
  CHECK(scene.verdicts() == Verdicts{"settle", "pass 1 last"});
}

TEST_CASE("a large value is collected, so that it can be given to another server") {
  Replicas scene;
  const std::string set = request({"set", "a", std::string(1'000'000, 'x')});
  scene.relay.receive(set.substr(0, 500'000));
  CHECK(scene.verdicts().empty());
  scene.relay.receive(set.substr(500'000));
  CHECK(scene.verdicts().back() == "pass 1");
  CHECK(scene.relay.owed(1)->size() == set.size());
}

TEST_CASE("what can't be done where it waits goes to the primary") {
  Replicas scene(ReadPreference::prefer_replica);
  CHECK(scene.core->elsewhere(1, Home::anywhere, true) == kNoBackend);  // asked again there
  CHECK(scene.core->elsewhere(0, Home::anywhere, true) == 1);
  CHECK(scene.core->elsewhere(0, Home::anywhere, false) ==
        kNoBackend);  // a replica that will be reached in a moment
  scene.availability.up[0] = false;
  CHECK(scene.core->elsewhere(0, Home::anywhere, false) == 1);
  scene.availability.leader = kNoBackend;
  CHECK(scene.core->elsewhere(0, Home::anywhere, true) == kNoBackend);
}

TEST_CASE("a listener of one server has no other to follow") {
  Scene scene(listener(1, config::RedisMode::replicated));
  CHECK_FALSE(scene.core->follows_primary());
  scene.send("set a 1");
  CHECK(scene.verdicts() == Verdicts{"pass 0"});
}

TEST_CASE("servers that are found may be one for a while: it is asked as soon as it says that it leads") {
  config::Listener found = listener(1, config::RedisMode::sentinel);
  found.redis.sentinel = config::Sentinel{.master_name = "m"};
  Scene scene(found);
  CHECK(scene.core->follows_primary());
  scene.send("set a 1");
  CHECK(scene.relay.waiting);
  scene.availability.leader = 0;
  scene.relay.go_on();
  CHECK(scene.relay.owed(0) != nullptr);
}

TEST_CASE("as long as no server was found, clients wait, and are told why it was in vain") {
  const config::Listener found = listener(0, config::RedisMode::sentinel);
  const ToldAvailability availability(0);
  const auto core =
      redis::make_core(found, availability, {}, {}, [] { return "ERR nobody knows the master m"; });
  for (const auto& words : {std::vector<std::string>{"set", "a", "1"}, {"subscribe", "ch"}, {"dbsize"}}) {
    INFO(words.front());
    ToyRelay relay(*core, 1);
    relay.receive(request(words));
    CHECK(relay.waiting);
    relay.give_up();
    CHECK(std::exchange(relay.out, {}) == "-ERR nobody knows the master m\r\n");
    relay.receive(request({"ping"}));
    CHECK(relay.out == "+PONG\r\n");
  }
}

TEST_CASE("what a client holds at the primary stays when other servers come and go around it") {
  // The primary was the second of three; then the first is gone, and the primary is the first of three.
  config::Listener after = replicated();
  after.backends.erase(after.backends.begin());
  after.backends.push_back({"redis-9:1", "redis-9", 1, 1});
  for (const bool stays : {true, false}) {
    INFO(stays);
    Replicas scene;
    scene.send("subscribe ch");
    scene.relay.deliver_leased(1, "*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n");
    scene.answer();
    if (!stays) after.backends.erase(after.backends.begin());
    ToldAvailability availability(after.backends.size());
    availability.leader = 0;
    const auto core = redis::make_core(after, availability);
    core->rebind(scene.relay.session());
    scene.relay.check_leases();
    CHECK(scene.relay.closed() == !stays);
  }
}

TEST_CASE("a transaction outlives other servers, unless its keys were watched at one that is gone") {
  for (const bool gone : {false, true}) {
    INFO(gone);
    config::Listener after = replicated();
    after.backends.erase(after.backends.begin() + (gone ? 1 : 0));
    Replicas scene;
    scene.send("watch a");
    scene.relay.deliver_leased(1, "+OK\r\n");
    for (const char* line : {"multi", "set a 2"}) scene.send(line);
    scene.answer();
    ToldAvailability availability(after.backends.size());
    availability.leader = 0;
    const auto core = redis::make_core(after, availability);
    core->rebind(scene.relay.session());
    scene.send("exec");
    CHECK(scene.answer() == (gone
                                 ? "-EXECABORT Transaction discarded because the connection that watched its "
                                   "keys was lost\r\n"
                                 : ""));
  }
}
