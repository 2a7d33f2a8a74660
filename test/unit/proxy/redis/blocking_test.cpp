// Commands that block, or must not be blocked: each has a lane of its own.
#include <catch2/catch.hpp>

#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using config::RedisMode;
using Verdicts = std::vector<std::string>;

TEST_CASE("a command that blocks has a lane for itself, and the server its time") {
  for (const char* line : {"blpop a1 b1 0", "brpop a1 0", "blmove a1 b1 left right 0", "brpoplpush a1 b1 0",
                           "blmpop 0 2 a1 b1 left", "bzpopmin a1 0", "bzpopmax a1 b1 1", "bzmpop 0 1 a1 min",
                           "xread block 0 streams a1 0", "xreadgroup group g c block 0 streams a1 >"}) {
    INFO(line);
    Scene scene(listener(2));
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"settle", "pass 1 last"});
    CHECK(scene.relay.leased_patient(1));
    scene.relay.deliver_leased(1, "*-1\r\n");
    CHECK(scene.answer() == "*-1\r\n");
    CHECK_FALSE(scene.relay.leased(1));
  }
}

TEST_CASE("nothing of a blocked client is done before it goes on, and nothing before it is overtaken") {
  Scene scene(listener(2));
  scene.send("rpush a0 x");
  scene.send("blpop a0 0");
  CHECK_FALSE(scene.relay.leased(0));
  scene.relay.deliver(0, ":1\r\n");
  CHECK(scene.relay.leased(0));
  scene.send("get a0");
  scene.send("get a1");
  CHECK(scene.relay.owed(0) == nullptr);
  CHECK(scene.relay.owed(1) == nullptr);
  scene.relay.deliver_leased(0, "*0\r\n");
  CHECK(scene.relay.owed(0) != nullptr);
  CHECK(scene.relay.owed(1) != nullptr);
}

TEST_CASE("keys on several shards can't be waited for") {
  Scene scene(listener(2));
  scene.send("blpop a0 a1 0");
  CHECK(scene.answer().starts_with("-CROSSSLOT "));
  scene.send("xread block 0 streams a0 a1 0 0");
  CHECK(scene.answer().starts_with("-CROSSSLOT "));
}

TEST_CASE("what does not block stays on the shared lane") {
  Scene scene(listener(2));
  scene.send("xread streams a1 0");
  scene.send("lpop a1");
  CHECK(scene.verdicts() == Verdicts{"pass 1", "need_more", "pass 1"});
}

TEST_CASE("inside MULTI nothing blocks") {
  Scene scene(listener(2));
  for (const char* line : {"multi", "blpop a0 0", "exec"}) scene.send(line);
  CHECK_FALSE(scene.relay.leased(0));
  CHECK(scene.relay.owed_replies(0) == 3);
}

TEST_CASE("a client that watches blocks on the lane that it has, and keeps it") {
  Scene scene(listener(2));
  scene.send("watch a0");
  scene.relay.deliver_leased(0, "+OK\r\n");
  scene.send("blpop b0 0");
  CHECK(scene.relay.leased_patient(0));
  scene.relay.deliver_leased(0, "*-1\r\n");
  CHECK(scene.relay.leased(0));
}

TEST_CASE("a client in Failover or Spread blocks at its server") {
  for (const auto mode : {RedisMode::failover, RedisMode::spread}) {
    Scene scene(listener(2, mode));
    scene.send("blpop x y 0");
    CHECK((scene.relay.leased(0) || scene.relay.leased(1)));
    scene.availability.up = {false, false};
    Scene none(listener(0, mode));
    none.send("blpop x y 0");
    CHECK(none.relay.waiting);
  }
}

TEST_CASE("what ends a script does not wait behind it") {
  for (const char* line : {"script kill", "function kill"}) {
    INFO(line);
    Scene scene(listener(2));
    scene.send("get a0");
    scene.send(line);
    REQUIRE(scene.relay.leased_owed(0) != nullptr);  // though the GET is not answered
    CHECK(*scene.relay.leased_owed(1) == scene.encoded(line));
    scene.relay.deliver_leased(0, "-NOTBUSY no\r\n");
    scene.relay.deliver_leased(1, "+OK\r\n");
    scene.relay.deliver(0, "$-1\r\n");
    CHECK(scene.answer() == "$-1\r\n+OK\r\n");
    CHECK_FALSE(scene.relay.leased(0));
    scene.send(line);
    scene.send(line);  // again and again, until there is a script
    for (const std::size_t i : {0U, 1U}) {
      scene.relay.deliver_leased(i, "+OK\r\n");
      CHECK(scene.relay.leased(i));
      scene.relay.deliver_leased(i, "+OK\r\n");
      CHECK_FALSE(scene.relay.leased(i));
    }

    Scene one(listener(1));
    one.send(line);
    CHECK(one.verdicts() == Verdicts{"pass 0 last"});
  }
}
