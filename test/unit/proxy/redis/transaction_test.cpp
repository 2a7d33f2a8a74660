// MULTI, EXEC, DISCARD, WATCH, UNWATCH: what servers are sent, and what the client is told.
#include <catch2/catch.hpp>

#include "proxy/redis/limits.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using config::RedisMode;

namespace {

const std::string kMulti = request({"MULTI"});
const std::string kExec = request({"EXEC"});
const std::string kUnwatch = request({"UNWATCH"});

/// What is answered to `line`, with a server that would not have been asked.
std::string at_once(Scene& scene, const std::string& line) {
  scene.send(line);
  return scene.answer();
}

}  // namespace

TEST_CASE("a transaction is sent in one piece to its shard, and answered as EXEC is") {
  Scene scene(listener(2));
  CHECK(at_once(scene, "multi") == "+OK\r\n");
  CHECK(at_once(scene, "set a1 v") == "+QUEUED\r\n");
  CHECK(at_once(scene, "ping") == "+QUEUED\r\n");
  CHECK(at_once(scene, "mget b1 a1") == "+QUEUED\r\n");
  CHECK(scene.relay.owed(1) == nullptr);
  scene.send("exec");
  REQUIRE(scene.relay.owed(1) != nullptr);
  CHECK(*scene.relay.owed(1) ==
        kMulti + scene.encoded("set a1 v") + scene.encoded("ping") + scene.encoded("mget b1 a1") + kExec);
  CHECK(scene.relay.owed_replies(1) == 5);
  CHECK_FALSE(scene.relay.leased(1));
  const std::string done = "*3\r\n+OK\r\n+PONG\r\n*2\r\n$-1\r\n$1\r\nv\r\n";
  scene.relay.deliver(1, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n" + done);
  CHECK(scene.answer() == done);
  scene.send("get a0");  // an ordinary client again
  CHECK(scene.relay.owed(0) != nullptr);
}

TEST_CASE("keys on another shard are refused where they are queued, and EXEC does nothing") {
  Scene scene(listener(2));
  for (const char* line : {"get a1", "mset a0 x a1 y", "rename a0 a1", "dbsize", "scan 0", "blpop a0 a1 0"}) {
    INFO(line);
    CHECK(at_once(scene, "multi") == "+OK\r\n");
    CHECK(at_once(scene, "set a0 v") == "+QUEUED\r\n");
    CHECK(at_once(scene, line).starts_with("-CROSSSLOT "));
    CHECK(at_once(scene, "set b0 v") == "+QUEUED\r\n");
    CHECK(at_once(scene, "exec") == "-EXECABORT Transaction discarded because of previous errors.\r\n");
    CHECK(scene.relay.owed(0) == nullptr);
    CHECK(scene.relay.owed(1) == nullptr);
  }
}

TEST_CASE("what a server would not queue is refused in its words, and what would change the connection") {
  Scene scene(listener(2));
  for (const char* line :
       {"nonsense", "get", "monitor", "select 0", "client setname x", "subscribe ch", "hello 2"}) {
    INFO(line);
    at_once(scene, "multi");
    CHECK(at_once(scene, line).starts_with("-ERR "));
    CHECK(at_once(scene, "exec").starts_with("-EXECABORT "));
  }
}

TEST_CASE("the words of Redis outside of a transaction and in it") {
  Scene scene(listener(2));
  CHECK(at_once(scene, "exec") == "-ERR EXEC without MULTI\r\n");
  CHECK(at_once(scene, "discard") == "-ERR DISCARD without MULTI\r\n");
  CHECK(at_once(scene, "unwatch") == "+OK\r\n");
  CHECK(at_once(scene, "multi") == "+OK\r\n");
  CHECK(at_once(scene, "multi") == "-ERR MULTI calls can not be nested\r\n");
  CHECK(at_once(scene, "watch a0") == "-ERR WATCH inside MULTI is not allowed\r\n");
  CHECK(at_once(scene, "exec") == "*0\r\n");  // neither of them aborts it
  CHECK(at_once(scene, "multi") == "+OK\r\n");
  CHECK(at_once(scene, "set a0 v") == "+QUEUED\r\n");
  CHECK(at_once(scene, "discard") == "+OK\r\n");
  CHECK(at_once(scene, "exec") == "-ERR EXEC without MULTI\r\n");
  CHECK(at_once(scene, "multi") == "+OK\r\n");
  CHECK(at_once(scene, "reset") == "+RESET\r\n");
  CHECK(at_once(scene, "exec") == "-ERR EXEC without MULTI\r\n");
}

TEST_CASE("why a server aborted a transaction is told, for the client was told QUEUED from here") {
  Scene scene(listener(2));
  at_once(scene, "multi");
  at_once(scene, "set a0 v");
  scene.send("exec");
  scene.relay.deliver(
      0,
      "+OK\r\n-OOM command not allowed\r\n-EXECABORT Transaction discarded because of previous errors.\r\n");
  CHECK(scene.answer() == "-EXECABORT Transaction discarded because of: OOM command not allowed\r\n");
  at_once(scene, "multi");
  at_once(scene, "set a0 v");
  scene.send("exec");
  scene.relay.deliver(0, "-NOPERM multi\r\n+OK\r\n-ERR EXEC without MULTI\r\n");
  CHECK(scene.answer() == "-NOPERM multi; not a transaction: some commands may have been carried out\r\n");
  at_once(scene, "multi");
  at_once(scene, "set a0 v");
  scene.send("exec");
  scene.relay.lose(0, Failure::lost);
  CHECK(scene.answer() ==
        "-ERR backend redis-0:1 closed the connection; the command may have been carried out\r\n");
}

TEST_CASE("a transaction is bounded in bytes, large commands are queued like small ones") {
  Scene scene(listener(2));
  at_once(scene, "multi");
  const std::string large(300'000, 'v');
  const std::string key = key_on(scene.config, 1);
  for (int i = 0; i < 27; ++i) {
    scene.relay.receive(request({"set", key, large}));
    CHECK(scene.answer() == "+QUEUED\r\n");
  }
  scene.relay.receive(request({"set", key, large}));
  CHECK(scene.answer() == "-ERR the commands of a transaction may have 8 MiB here\r\n");
  CHECK(at_once(scene, "exec").starts_with("-EXECABORT "));
  at_once(scene, "multi");
  scene.relay.receive(request({"set", key, std::string(9'000'000, 'v')}));
  CHECK(scene.answer().starts_with("-ERR "));
  CHECK(at_once(scene, "exec").starts_with("-EXECABORT "));
  CHECK(scene.relay.owed(1) == nullptr);
}

TEST_CASE("WATCH takes a lane of the client's own, and EXEC goes by it and gives it back") {
  Scene scene(listener(2));
  scene.send("watch a1 b1");
  REQUIRE(scene.relay.leased_owed(1) != nullptr);
  CHECK(*scene.relay.leased_owed(1) == scene.encoded("watch a1 b1"));
  scene.send("get a1");  // behind the WATCH: it must not be overtaken
  scene.send("get a0");  // of another server: by its shared lane
  CHECK(scene.relay.owed(1) == nullptr);
  CHECK(scene.relay.owed(0) != nullptr);
  scene.relay.deliver_leased(1, "+OK\r\n");
  scene.relay.deliver_leased(1, "$1\r\n1\r\n");
  scene.relay.deliver(0, "$-1\r\n");
  CHECK(scene.answer() == "+OK\r\n$1\r\n1\r\n$-1\r\n");

  CHECK(at_once(scene, "multi") == "+OK\r\n");
  CHECK(at_once(scene, "set a1 2") == "+QUEUED\r\n");
  scene.send("exec");
  CHECK(*scene.relay.leased_owed(1) == kMulti + scene.encoded("set a1 2") + kExec);
  scene.send("get a1");  // waits: by the shared lane it could be read before the EXEC
  CHECK(scene.relay.owed(1) == nullptr);
  scene.relay.deliver_leased(1, "+OK\r\n+QUEUED\r\n*-1\r\n");
  CHECK(scene.answer() == "*-1\r\n");
  CHECK_FALSE(scene.relay.leased(1));
  CHECK(*scene.relay.owed(1) == scene.encoded("get a1"));
}

TEST_CASE("an EXEC that is wrong ends the transaction, as with a server") {
  const std::string refused =
      "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";
  Scene scene(listener(2));
  CHECK(at_once(scene, "exec now") == refused);
  at_once(scene, "multi");
  at_once(scene, "set a0 v");
  CHECK(at_once(scene, "exec now") == refused);
  CHECK(at_once(scene, "exec") == "-ERR EXEC without MULTI\r\n");
  scene.send("watch a0");
  scene.relay.deliver_leased(0, "+OK\r\n");
  scene.answer();
  scene.send("exec now");
  CHECK(*scene.relay.leased_owed(0) == kUnwatch);
  scene.relay.deliver_leased(0, "+OK\r\n");
  CHECK(scene.answer() == refused);
  CHECK_FALSE(scene.relay.leased(0));
}

TEST_CASE("WATCH waits until what was sent before it is answered") {
  Scene scene(listener(2));
  scene.send("set a1 x");
  scene.send("watch a1");
  CHECK_FALSE(scene.relay.leased(1));
  scene.relay.deliver(1, "+OK\r\n");
  CHECK(scene.relay.leased(1));
}

TEST_CASE("watched keys lie on one shard, and so do those of the transaction") {
  Scene scene(listener(2));
  CHECK(at_once(scene, "watch a0 a1").starts_with("-CROSSSLOT "));
  scene.send("watch a0");
  scene.relay.deliver_leased(0, "+OK\r\n");
  scene.answer();
  CHECK(at_once(scene, "watch a1").starts_with("-CROSSSLOT "));
  at_once(scene, "multi");
  CHECK(at_once(scene, "get a1").starts_with("-CROSSSLOT "));
  scene.send("exec");
  CHECK(*scene.relay.leased_owed(0) == kUnwatch);
  scene.relay.deliver_leased(0, "+OK\r\n");
  CHECK(scene.answer() == "-EXECABORT Transaction discarded because of previous errors.\r\n");
  CHECK_FALSE(scene.relay.leased(0));
}

TEST_CASE("UNWATCH and DISCARD give the lane back") {
  for (const bool multi : {false, true}) {
    Scene scene(listener(2));
    scene.send("watch a0");
    scene.relay.deliver_leased(0, "+OK\r\n");
    scene.answer();
    if (multi) at_once(scene, "multi");
    scene.send(multi ? "discard" : "unwatch");
    CHECK(*scene.relay.leased_owed(0) == kUnwatch);
    scene.relay.deliver_leased(0, "+OK\r\n");
    CHECK(scene.answer() == "+OK\r\n");
    CHECK_FALSE(scene.relay.leased(0));
    scene.send("get a0");
    CHECK(scene.relay.owed(0) != nullptr);
  }
}

TEST_CASE("EXEC never runs when the connection that watched is gone") {
  for (const bool before : {true, false}) {
    Scene scene(listener(2));
    scene.send("watch a0");
    scene.relay.deliver_leased(0, "+OK\r\n");
    if (before) scene.relay.lose_lease(0);
    at_once(scene, "multi");
    at_once(scene, "set a0 x");
    if (!before) scene.relay.lose_lease(0);
    CHECK(at_once(scene, "exec") ==
          "-EXECABORT Transaction discarded because the connection that watched its keys was lost\r\n");
    CHECK(scene.relay.owed(0) == nullptr);
    CHECK_FALSE(scene.relay.leased(0));
    scene.send("watch a0");  // and all begins anew
    CHECK(scene.relay.leased(0));
    CHECK_FALSE(scene.relay.closed());
  }
}

TEST_CASE("a pipelined WATCH that fails takes the EXEC behind it with it") {
  Scene scene(listener(2));
  for (const char* line : {"watch a0", "multi", "set a0 x", "exec"}) scene.send(line);
  scene.relay.lose_lease(0, Failure::unreachable);
  const std::string gone = "-ERR backend some-backend:1 unreachable; the command was not sent\r\n";
  const std::string gone0 = "-ERR backend redis-0:1 unreachable; the command was not sent\r\n";
  CHECK(scene.answer() == gone + "+OK\r\n+QUEUED\r\n" + gone0);
  CHECK_FALSE(scene.relay.leased(0));
}

TEST_CASE("a reload that moves keys ends what was begun, one that does not goes unnoticed") {
  for (const bool moves : {true, false}) {
    Scene scene(listener(2));
    scene.send("watch a0");
    scene.relay.deliver_leased(0, "+OK\r\n");
    at_once(scene, "multi");
    at_once(scene, "set a0 x");
    ToldAvailability availability(2);
    config::Listener changed = listener(2);
    if (moves) changed.redis.hash_tag = "";
    changed.timeouts.queue = std::chrono::milliseconds(1);
    const auto core = redis::make_core(changed, availability);
    core->rebind(scene.relay.session());
    scene.send("exec");
    if (moves) {
      CHECK(scene.answer().starts_with("-EXECABORT "));
      CHECK_FALSE(scene.relay.leased(0));
    } else {
      CHECK(scene.relay.leased_replies(0) == 3);
    }
  }
}

TEST_CASE("with one server for all keys a transaction may have any of them") {
  for (const auto mode : {RedisMode::failover, RedisMode::spread}) {
    Scene scene(listener(2, mode));
    for (const char* line : {"multi", "set a0 x", "set a1 x", "dbsize", "keys *"}) scene.send(line);
    CHECK(scene.answer() == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    scene.send("exec");
    const std::size_t backend = scene.relay.owed(0) != nullptr ? 0 : 1;
    CHECK(scene.relay.owed_replies(backend) == 6);
  }
}

TEST_CASE("a transaction waits for a backend, and is over when there is none") {
  Scene scene(listener(2, RedisMode::failover));
  scene.availability.up = {false, false};
  for (const char* line : {"multi", "set a x", "exec"}) scene.send(line);
  CHECK(scene.relay.waiting);
  scene.relay.give_up();
  CHECK(scene.answer() == "+OK\r\n+QUEUED\r\n-ERR no backend is available\r\n");
  CHECK(at_once(scene, "exec") == "-ERR EXEC without MULTI\r\n");
}
