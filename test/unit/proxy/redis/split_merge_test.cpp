#include <catch2/catch.hpp>

#include "proxy/redis/merge.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using Verdicts = std::vector<std::string>;

namespace {

const std::string kGone0 = "-ERR backend redis-0:1 unreachable; the command was not sent\r\n";

}  // namespace

TEST_CASE("MGET asks each shard for its keys and puts the values in the order of the keys") {
  Scene scene(listener(2));
  scene.send("mget a0 a1 b0 b1 a0");
  CHECK(scene.verdicts() == Verdicts{"ask 0 " + scene.encoded("mget a0 b0 a0"),
                                     "ask 1 " + scene.encoded("mget a1 b1"), "gather"});
  scene.relay.deliver(1, "*2\r\n$2\r\n10\r\n$-1\r\n");
  scene.relay.deliver(0, "*3\r\n$2\r\n00\r\n$4\r\n\r\n\r\n\r\n$2\r\n02\r\n");
  CHECK(scene.answer() == "*5\r\n$2\r\n00\r\n$2\r\n10\r\n$4\r\n\r\n\r\n\r\n$-1\r\n$2\r\n02\r\n");
}

TEST_CASE("MGET with a shard away has errors at that shard's keys only") {
  Scene scene(listener(2));
  scene.send("mget a0 a1 b0");
  scene.relay.lose(0, Failure::unreachable);
  scene.relay.deliver(1, "*1\r\n$1\r\nx\r\n");
  CHECK(scene.answer() == "*3\r\n" + kGone0 + "$1\r\nx\r\n" + kGone0);

  scene.send("mget a0 a1");
  scene.relay.deliver(0, "-LOADING Redis is loading the dataset in memory\r\n");
  scene.relay.deliver(1, "*1\r\n$1\r\nx\r\n");
  CHECK(scene.answer() == "*2\r\n-LOADING Redis is loading the dataset in memory\r\n$1\r\nx\r\n");
}

TEST_CASE("MSET takes each value along with its key, and is OK when all are") {
  Scene scene(listener(2));
  scene.send("mset a0 x a1 y b0 z");
  CHECK(scene.verdicts() == Verdicts{"ask 0 " + scene.encoded("mset a0 x b0 z"),
                                     "ask 1 " + scene.encoded("mset a1 y"), "gather"});
  scene.relay.deliver(0, "+OK\r\n");
  scene.relay.deliver(1, "+OK\r\n");
  CHECK(scene.answer() == "+OK\r\n");

  scene.send("mset a0 x a1 y");
  scene.relay.deliver(0, "-OOM command not allowed\r\n");
  scene.relay.deliver(1, "-READONLY\r\n");
  CHECK(scene.answer() == "-OOM command not allowed\r\n");
}

TEST_CASE("DEL, UNLINK, EXISTS and TOUCH add up") {
  for (const std::string command : {"del", "UNLINK", "exists", "touch"}) {
    Scene scene(listener(3));
    scene.send(command + " a0 a1 a2 b2");
    CHECK(scene.verdicts() == Verdicts{"ask 0 " + scene.encoded(command + " a0"),
                                       "ask 1 " + scene.encoded(command + " a1"),
                                       "ask 2 " + scene.encoded(command + " a2 b2"), "gather"});
    scene.relay.deliver(2, ":2\r\n");
    scene.relay.deliver(0, ":1\r\n");
    scene.relay.deliver(1, ":0\r\n");
    CHECK(scene.answer() == ":3\r\n");
  }
}

TEST_CASE("a write over several shards does nothing while one of them is known to be down") {
  for (const char* line : {"del a0 a1", "unlink a0 a1", "mset a0 x a1 y", "flushall", "script load s"}) {
    INFO(line);
    Scene scene(listener(2));
    scene.availability.up = {true, false};
    scene.send(line);
    CHECK(scene.relay.waiting);
    CHECK(scene.relay.owed(0) == nullptr);
    SECTION("it comes back in time") {
      scene.availability.up = {true, true};
      scene.relay.go_on();
      CHECK(scene.relay.owed(0) != nullptr);
      CHECK(scene.relay.owed(1) != nullptr);
    }
    SECTION("it does not come back") {
      scene.relay.give_up();
      CHECK(scene.answer() == "-ERR backend redis-1:1 unreachable; the command was not sent\r\n");
      CHECK(scene.relay.owed(0) == nullptr);
      scene.send("get a0");  // the others go on
      scene.relay.deliver(0, "$-1\r\n");
      CHECK(scene.answer() == "$-1\r\n");
    }
  }
}

TEST_CASE("a read over several shards asks those that are there") {
  Scene scene(listener(2));
  scene.availability.up = {true, false};
  scene.send("mget a0 a1");
  CHECK(scene.relay.owed(0) != nullptr);
}

TEST_CASE("an error after some shards did their part says so") {
  Scene scene(listener(3));
  scene.send("del a0 a1 a2");
  scene.relay.lose(0, Failure::lost);
  scene.relay.deliver(1, ":1\r\n");
  scene.relay.deliver(2, ":1\r\n");
  CHECK(scene.answer() ==
        "-ERR backend redis-0:1 closed the connection; the command may have been carried out; done by 2 of 3 "
        "backends\r\n");
}

TEST_CASE("commands for all servers go to all as they are") {
  const std::vector<std::pair<std::string, std::array<std::string, 3>>> cases{
      {"dbsize", {":3\r\n", ":4\r\n", ":7\r\n"}},
      {"keys *",
       {"*1\r\n$1\r\na\r\n", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"}},
      {"keys none", {"*0\r\n", "*0\r\n", "*0\r\n"}},
      {"flushall", {"+OK\r\n", "+OK\r\n", "+OK\r\n"}},
      {"flushdb async", {"+OK\r\n", "-ERR no\r\n", "-ERR no\r\n"}},
      {"script load s", {"$3\r\nsha\r\n", "$3\r\nsha\r\n", "$3\r\nsha\r\n"}},
      {"script exists a b c",
       {"*3\r\n:1\r\n:0\r\n:1\r\n", "*3\r\n:1\r\n:1\r\n:0\r\n", "*3\r\n:1\r\n:0\r\n:0\r\n"}},
      {"script flush", {"+OK\r\n", "+OK\r\n", "+OK\r\n"}},
      {"pubsub channels", {"*1\r\n$1\r\na\r\n", "*0\r\n", "*1\r\n$1\r\na\r\n"}},
      {"slowlog len", {":1\r\n", ":2\r\n", ":3\r\n"}},
      {"config set maxmemory 0", {"+OK\r\n", "+OK\r\n", "+OK\r\n"}},
      {"function load code", {"$1\r\nl\r\n", "$1\r\nl\r\n", "$1\r\nl\r\n"}},
      {"memory purge", {"+OK\r\n", "+OK\r\n", "+OK\r\n"}},
      {"randomkey", {"$-1\r\n", "$-1\r\n", "$-1\r\n"}},
      {"randomkey", {"$-1\r\n", "$1\r\nx\r\n", "$1\r\nx\r\n"}},
      {"randomkey", {"$1\r\nx\r\n", "$-1\r\n", "$1\r\nx\r\n"}},
  };
  for (const auto& [line, replies] : cases) {
    INFO(line);
    Scene scene(listener(2));
    scene.send(line);
    CHECK(scene.verdicts() ==
          Verdicts{"ask 0 " + scene.encoded(line), "ask 1 " + scene.encoded(line), "gather"});
    scene.relay.deliver(0, replies[0]);
    scene.relay.deliver(1, replies[1]);
    CHECK(scene.answer() == replies[2]);
  }
}

TEST_CASE("an inline command for all servers reaches each as multibulk") {
  Scene scene(listener(2));
  scene.relay.receive("\r\ndbsize\r\n");
  CHECK(*scene.relay.owed(0) == request({"dbsize"}));
  CHECK(*scene.relay.owed(1) == request({"dbsize"}));
}

TEST_CASE("SCAN visits each shard once, with cursors that are numbers") {
  Scene scene(listener(2));
  scene.send("scan 0 match x* count 10");
  CHECK(*scene.relay.owed(0) == request({"scan", "0", "match", "x*", "count", "10"}));
  scene.relay.deliver(0, "*2\r\n$2\r\n17\r\n*1\r\n$1\r\na\r\n");
  CHECK(scene.answer() == "*2\r\n$5\r\n69632\r\n*1\r\n$1\r\na\r\n");  // 17 << 12

  scene.send("scan 69632");
  CHECK(*scene.relay.owed(0) == request({"scan", "17"}));
  scene.relay.deliver(0, "*2\r\n$1\r\n0\r\n*0\r\n");
  CHECK(scene.answer() == "*2\r\n$1\r\n1\r\n*0\r\n");

  scene.send("scan 1");
  CHECK(*scene.relay.owed(1) == request({"scan", "0"}));
  scene.relay.deliver(1, "*2\r\n$1\r\n5\r\n*1\r\n$1\r\nb\r\n");
  CHECK(scene.answer() == "*2\r\n$5\r\n20481\r\n*1\r\n$1\r\nb\r\n");  // 5 << 12 | 1

  scene.send("scan 20481");
  CHECK(*scene.relay.owed(1) == request({"scan", "5"}));
  scene.relay.deliver(1, "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nc\r\n");
  CHECK(scene.answer() == "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nc\r\n");
}

TEST_CASE("SCAN's odd ends: no number, a shard that is no more, a shard that is away") {
  Scene scene(listener(2));
  scene.send("scan abc");
  CHECK(scene.answer() == "-ERR invalid cursor\r\n");
  scene.send("scan 5");  // the sixth of two shards: there were more when the scan began
  CHECK(scene.answer() == "*2\r\n$1\r\n0\r\n*0\r\n");
  scene.send("scan 18446744073709551615");
  CHECK(scene.answer() == "*2\r\n$1\r\n0\r\n*0\r\n");
  scene.send("scan 0");
  scene.relay.lose(0, Failure::unreachable);
  CHECK(scene.answer() == kGone0);
  scene.send("scan 0 type x");
  scene.relay.deliver(0, "-ERR unknown type name 'x'\r\n");
  CHECK(scene.answer() == "-ERR unknown type name 'x'\r\n");
  scene.send("scan 0");
  scene.relay.deliver(0, "*2\r\n$20\r\n18446744073709551615\r\n*0\r\n");
  CHECK(scene.answer().starts_with("-ERR backend redis-0:1 gave a reply that does not fit"));
}

TEST_CASE("a reply that does not fit the command becomes an error, never a broken reply") {
  using redis::Merge;
  const std::vector<std::string> strange{"+OK\r\n",
                                         ":1\r\n",
                                         ":99999999999999999999\r\n",
                                         "$1\r\nx\r\n",
                                         "*1\r\n+x\r\n",
                                         "*-1\r\n",
                                         "*0\r\n",
                                         "$-1\r\n",
                                         "*2\r\n:1\r\n:x\r\n",
                                         "-ERR\r\n",
                                         "*2\r\n$1\r\n0\r\n*0\r\n",
                                         "_\r\n",
                                         "~0\r\n",
                                         "%1\r\n+a\r\n:1\r\n"};
  for (const Merge merge : {Merge::in_key_order, Merge::sum, Merge::all_succeeded, Merge::one_succeeded,
                            Merge::logical_and, Merge::minimum, Merge::concatenate, Merge::pick_one,
                            Merge::next_cursor, Merge::selected, Merge::executed, Merge::confirmed}) {
    for (const std::string& first : strange) {
      for (const std::string& second : strange) {
        redis::Gathered gathered;
        gathered.merge = merge;
        if (merge == Merge::in_key_order) gathered.part_of_key = {0, 1, 0};
        gathered.servers = 2;
        gathered.replies = 3;
        gathered.text = "+OK\r\n";
        const std::vector<Part> parts{{0, "x:1", false, Failure::lost, first},
                                      {1, "y:1", false, Failure::lost, second}};
        std::string out;
        redis::merge_replies(gathered, parts, out);
        INFO(static_cast<int>(merge) << " of " << first << second << " is " << out);
        CHECK(redis::reply_size(out) == out.size());
        CHECK_FALSE(out.empty());
      }
    }
  }
}
