// What a mirror gets of what a client asks.
#include <catch2/catch.hpp>

#include "proxy/redis/lane_kind.hpp"
#include "proxy/redis/limits.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using config::MirrorCommands;

namespace {

config::Listener mirrored(std::size_t backends, MirrorCommands commands = MirrorCommands::writes,
                          config::RedisMode mode = config::RedisMode::sharded) {
  config::Listener one = listener(backends, mode);
  one.redis.mirror = config::Mirror{"cache.next", commands};
  return one;
}

/// The copies since the last call, one behind the other.
std::string copies(Scene& scene) {
  std::string all;
  for (const auto& one : std::exchange(scene.relay.copies, {})) all += one.text;
  return all;
}

/// What a mirror gets of this line, sent by an ordinary client, whom the servers answer.
std::string copy_of(Scene& scene, const std::string& line) {
  scene.send(line);
  for (std::size_t i = 0; i < 2; ++i) {
    if (scene.relay.owed(i) != nullptr) scene.relay.deliver(i, "+OK\r\n");
    if (scene.relay.leased_owed(i) != nullptr) scene.relay.deliver_leased(i, "*-1\r\n");
  }
  return copies(scene);
}

}  // namespace

TEST_CASE("of commands that write, and of scripts, there is one copy each, as the client sent them") {
  Scene scene(mirrored(2));
  for (const char* line : {"set a0 v", "mset a0 1 a1 2", "del a0 a1", "getdel a0", "rename a0 b0", "flushall",
                           "xadd a0 * f v", "eval x 1 a0", "evalsha x 1 a0", "fcall f 1 a0", "script load x",
                           "script flush", "function load x"}) {
    INFO(line);
    CHECK(copy_of(scene, line) == scene.encoded(line));
  }
}

TEST_CASE("reads are copied where all commands are, and what is answered here or refused never is") {
  Scene writes(mirrored(2));
  Scene all(mirrored(2, MirrorCommands::all));
  for (const char* line : {"get a0", "mget a0 a1", "dbsize", "scan 0", "eval_ro x 1 a0", "publish c m",
                           "touch a0 a1", "xread streams a0 0"}) {
    INFO(line);
    CHECK(copy_of(writes, line).empty());
    CHECK(copy_of(all, line) == all.encoded(line));
  }
  for (const char* line : {"ping", "echo x", "select 0", "hello 2", "auth x", "client setname x",
                           "command count", "set a0", "nosuch a0", "swapdb 0 1", "rename a0 a1"}) {
    INFO(line);
    CHECK(copy_of(all, line).empty());
  }
}

TEST_CASE("what waits, or ends what others wait for, is not copied") {
  Scene scene(mirrored(2, MirrorCommands::all));
  for (const char* line : {"blpop a0 0", "blmove a0 b0 left left 0", "xread block 0 streams a0 $",
                           "script kill", "watch a0", "unwatch", "subscribe a0"}) {
    INFO(line);
    CHECK(copy_of(scene, line).empty());
  }
}

TEST_CASE("a transaction is copied in one piece, if one of its commands is to be") {
  Scene scene(mirrored(2));
  const auto transaction = [&](const std::vector<std::string>& lines) {
    copies(scene);
    scene.send("multi");
    std::string text = request({"MULTI"});
    for (const std::string& line : lines) {
      scene.send(line);
      text += scene.encoded(line);
    }
    CHECK(copies(scene).empty());
    scene.send("exec");
    REQUIRE(scene.relay.owed(0) != nullptr);
    scene.relay.deliver(0, "+OK\r\n+QUEUED\r\n*0\r\n");
    return text + request({"EXEC"});
  };
  std::string text = transaction({"get a0", "set a0 v", "blpop a0 0"});
  CHECK(copies(scene) == text);
  text = transaction({"blpop a0 0"});  // it does not wait there
  CHECK(copies(scene) == text);
  (void)transaction({"get a0", "ping"});
  CHECK(copies(scene).empty());
  scene.send("multi");
  scene.send("set a0 v");
  scene.send("discard");
  CHECK(copies(scene).empty());
}

TEST_CASE("a transaction that depends on watched keys is not copied, what goes by the same connection is") {
  Scene scene(mirrored(2));
  scene.send("watch a0");
  REQUIRE(scene.relay.leased_owed(0) != nullptr);
  scene.relay.deliver_leased(0, "+OK\r\n");
  scene.send("set b0 v");
  REQUIRE(scene.relay.leased_owed(0) != nullptr);
  scene.relay.deliver_leased(0, "+OK\r\n");
  CHECK(copies(scene) == scene.encoded("set b0 v"));
  for (const char* line : {"multi", "set a0 v", "exec"}) scene.send(line);
  REQUIRE(scene.relay.leased_owed(0) != nullptr);
  CHECK(copies(scene).empty());
}

TEST_CASE("copies tell of the database, and of none that the mirror can't have") {
  Scene scene(mirrored(1));
  scene.send("select 3");
  scene.relay.deliver(0, "+OK\r\n");
  scene.send("set a0 v");
  for (const char* line : {"multi", "set a0 v", "exec"}) scene.send(line);
  REQUIRE(scene.relay.copies.size() == 2);
  const LaneKind third = scene.relay.copies[0].kind;
  CHECK(redis::database_of(third) == 3);
  CHECK(scene.relay.copies[1].kind == third);
  const LaneKind third_resp3 = redis::lane_kind(redis::Resp::three, 3);
  std::string said;
  CHECK(scene.core->change_kind(LaneKind::ordinary, third, said));
  CHECK(said == request({"SELECT", "3"}));
  said.clear();
  CHECK(scene.core->change_kind(third, third_resp3, said));
  CHECK(said.empty());
  CHECK(scene.core->change_kind(third_resp3, LaneKind::ordinary, said));
  CHECK(said == request({"SELECT", "0"}));
  said.clear();

  Scene cluster(listener(1, config::RedisMode::cluster));
  CHECK_FALSE(cluster.core->change_kind(LaneKind::ordinary, third, said));
  CHECK(cluster.core->change_kind(LaneKind::ordinary, redis::lane_kind(redis::Resp::two, 0, true), said));
  CHECK(said.empty());
}

TEST_CASE("a large message is copied whole, in whatever pieces it comes") {
  Scene scene(mirrored(2));
  const std::string key = key_on(scene.config, 0);
  const std::string large = request({"SET", key, std::string(3 * redis::kCollect, 'x')});
  for (const std::size_t piece : {large.size(), std::size_t{10'000}, redis::kCollect + 1}) {
    for (std::size_t at = 0; at < large.size(); at += piece) scene.relay.receive(large.substr(at, piece));
    REQUIRE(scene.relay.owed_whole(0) != nullptr);
    scene.relay.deliver(0, "+OK\r\n");
    CHECK(copies(scene) == large);
  }
}

TEST_CASE("another configuration has another mirror, or none") {
  Scene scene(listener(2));
  CHECK(scene.core->mirror().empty());
  CHECK(copy_of(scene, "set a0 v").empty());
  const auto core = redis::make_core(mirrored(2), scene.availability);
  CHECK(core->mirror() == "cache.next");
  core->rebind(scene.relay.session());
  CHECK(copy_of(scene, "set a0 v") == scene.encoded("set a0 v"));
  scene.core->rebind(scene.relay.session());
  CHECK(copy_of(scene, "set a0 v").empty());
}
