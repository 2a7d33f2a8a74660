#include <catch2/catch.hpp>

#include "proxy/redis/limits.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using config::RedisMode;
using Verdicts = std::vector<std::string>;

TEST_CASE("a command with one key goes, as it is, to the shard that holds it") {
  Scene scene(listener(2));
  for (const char* line : {"get a%",
                           "SET a% v",
                           "Incr a%",
                           "HSET a% f v",
                           "lpush a% x y z",
                           "expire a% 10",
                           "dump a%",
                           "object encoding a%",
                           "memory usage a%",
                           "xgroup create a% g $",
                           "xinfo stream a%",
                           "zadd a% 1 m",
                           "pfadd a% x",
                           "hscan a% 0",
                           "append a% x",
                           "getset a% b",
                           "type a%",
                           "sort a%",
                           "sort a% BY nosort GET #",
                           "move a% 0",
                           "restore a% 0 x"}) {
    for (const char shard : {'0', '1'}) {
      std::string words = line;
      for (char& c : words) c = c == '%' ? shard : c;
      INFO(words);
      scene.send(words);
      CHECK(scene.verdicts() == Verdicts{std::string("pass ") + shard});
      const std::string* owed = scene.relay.owed(static_cast<std::size_t>(shard - '0'));
      REQUIRE(owed != nullptr);
      CHECK(*owed == scene.encoded(words));
      scene.relay.deliver(static_cast<std::size_t>(shard - '0'), "+fine\r\n");
      CHECK(scene.answer() == "+fine\r\n");
    }
  }
}

TEST_CASE("commands with several keys go to their shard when they all lie on it") {
  Scene scene(listener(2));
  for (const char* line :
       {"rename a1 b1", "msetnx a1 1 b1 2", "sinter a1 b1", "eval script 2 a1 b1 arg", "evalsha sha 1 a1",
        "zunionstore a1 2 b1 c1", "bitop and a1 b1 c1", "xread streams a1 b1 0 0", "lmove a1 b1 left right",
        "sort a1 store b1", "georadius a1 1 2 3 m store b1", "mget a1 b1", "mset a1 1 b1 2", "del a1 b1 c1",
        "exists a1 b1", "touch a1", "unlink a1 a1", "copy a1 b1", "pfmerge a1"}) {
    INFO(line);
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"pass 1"});
    scene.relay.deliver(1, "+fine\r\n");
  }
}

TEST_CASE(
    "commands whose keys lie on several shards and cannot be split are refused, and the connection goes on") {
  Scene scene(listener(2));
  for (const char* line : {"rename a0 a1", "msetnx a0 1 a1 2", "sinter a0 a1", "eval script 2 a0 a1",
                           "zunionstore a0 1 a1", "sort a0 store a1", "sort a0 by w_*", "sort a0 get a1*",
                           "xread streams a0 a1 0 0", "georadius a0 1 2 3 m store a1", "smove a0 a1 m"}) {
    INFO(line);
    scene.send(line);
    CHECK(scene.answer().starts_with("-CROSSSLOT Keys in request don't hash to the same shard"));
    scene.send("get a0");
    scene.relay.deliver(0, "$-1\r\n");
    CHECK(scene.answer() == "$-1\r\n");
  }
}

TEST_CASE("SORT by a pattern is allowed when the pattern has the key's hash tag") {
  Scene scene(listener(2));
  const std::string tag = key_on(scene.config, 1);
  scene.send("sort list{" + tag + "} by w{" + tag + "}_* get #");
  CHECK(scene.verdicts() == Verdicts{"pass 1"});
}

TEST_CASE("a command whose keys cannot be told goes to a server that will refuse it in its own words") {
  Scene scene(listener(2));
  for (const char* line : {"eval script x a0", "xread nothing a0 0", "zinter 9 a0"}) {
    INFO(line);
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"pass 0"});
    scene.relay.deliver(0, "-ERR\r\n");
  }
}

TEST_CASE("a command without keys goes to any one usable server") {
  Scene scene(listener(2));
  for (const char* line : {"time", "config get maxmemory", "lolwut", "eval script 0", "role", "object help",
                           "function list", "command getkeys get x", "pubsub numpat"}) {
    INFO(line);
    scene.availability.up = {true, true};
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"pass 0"});
    scene.relay.deliver(0, "+fine\r\n");
    scene.availability.up = {false, true};
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"pass 1"});
    scene.relay.deliver(1, "+fine\r\n");
  }
}

TEST_CASE("what cannot work on shared connections is refused with a reason, and the connection goes on") {
  for (const auto mode : {RedisMode::sharded, RedisMode::failover, RedisMode::spread}) {
    Scene scene(listener(2, mode));
    for (const char* line : {"wait 0 0",
                             "monitor",
                             "sync",
                             "psync a b",
                             "replicaof no one",
                             "shutdown",
                             "debug sleep 0",
                             "save",
                             "bgsave",
                             "client reply off",
                             "client tracking on",
                             "client kill x",
                             "client pause 1",
                             "swapdb 0 1",
                             "migrate h 1 k 0 1",
                             "acl list",
                             "module list",
                             "script debug yes",
                             "latency latest",
                             "failover",
                             "config rewrite",
                             "pubsub numsub ch"}) {
      INFO(line);
      scene.send(line);
      const std::string answer = scene.answer();
      CHECK(answer.starts_with("-ERR "));
      CHECK(answer.find(" is not supported in this version of the ambassador: ") != std::string::npos);
      CHECK(answer.ends_with("\r\n"));
    }
    scene.send("ping");
    CHECK(scene.answer() == "+PONG\r\n");
    CHECK_FALSE(scene.relay.closed());
  }
}

TEST_CASE("an unknown command, subcommand or number of arguments gets Redis' own text") {
  Scene scene(listener(2));
  const std::vector<std::pair<std::string, std::string>> cases{
      {"nonsense a b", "-ERR unknown command 'nonsense', with args beginning with: 'a' 'b' \r\n"},
      {"NONSENSE", "-ERR unknown command 'NONSENSE', with args beginning with: \r\n"},
      {"get", "-ERR wrong number of arguments for 'get' command\r\n"},
      {"get a b", "-ERR wrong number of arguments for 'get' command\r\n"},
      {"mget", "-ERR wrong number of arguments for 'mget' command\r\n"},
      {"mset a0 1 b1", "-ERR wrong number of arguments for 'mset' command\r\n"},
      {"config", "-ERR wrong number of arguments for 'config' command\r\n"},
      {"config get", "-ERR wrong number of arguments for 'config|get' command\r\n"},
      {"client foo", "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n"},
      {"multi now", "-ERR wrong number of arguments for 'multi' command\r\n"},
  };
  for (const auto& [line, answer] : cases) {
    INFO(line);
    scene.send(line);
    CHECK(scene.answer() == answer);
  }
  scene.relay.receive(request({"bad\r\nname", "x\r\ny"}));
  CHECK(scene.answer() == "-ERR unknown command 'bad  name', with args beginning with: 'x  y' \r\n");
  scene.relay.receive(request({"longname", std::string(500, 'x'), "more"}));
  CHECK(scene.answer() ==
        "-ERR unknown command 'longname', with args beginning with: '" + std::string(128, 'x') + "' \r\n");
}

TEST_CASE("a browser that was made to talk to us hears nothing") {
  Scene scene(listener(2));
  scene.relay.receive("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nget secret\r\n");
  CHECK(scene.relay.closed());
  CHECK(scene.answer().empty());
}

TEST_CASE("a protocol error is answered in its turn, then the connection is closed") {
  Scene scene(listener(2));
  scene.relay.receive(scene.encoded("get a0") + "*1\r\n:1\r\nget a0\r\n");
  CHECK(scene.relay.closed());
  CHECK(scene.answer().empty());
  scene.relay.deliver(0, "$1\r\nx\r\n");
  CHECK(scene.answer() == "$1\r\nx\r\n-ERR Protocol error: expected '$', got ':'\r\n");
}

TEST_CASE("an inline request reaches the server as multibulk, without the empty lines before it") {
  Scene scene(listener(2));
  const std::string key = key_on(scene.config, 1);
  scene.relay.receive("\r\n*0\r\nget " + key + "\r\n");
  CHECK(*scene.relay.owed(1) == request({"get", key}));
  scene.relay.deliver(1, "$-1\r\n");
  scene.relay.receive("\r\n" + request({"get", key}));
  CHECK(*scene.relay.owed(1) == request({"get", key}));
}

TEST_CASE("replies come in the order of the requests, whichever shard is faster") {
  Scene scene(listener(2));
  scene.relay.receive(scene.encoded("get a0") + scene.encoded("get a1") + scene.encoded("ping") +
                      scene.encoded("mget a0 a1") + scene.encoded("get b1"));
  scene.relay.deliver(1, "$1\r\n1\r\n");
  scene.relay.deliver(1, "*1\r\n$1\r\n3\r\n");
  scene.relay.deliver(1, "$1\r\n4\r\n");
  CHECK(scene.answer().empty());
  scene.relay.deliver(0, "$1\r\n0\r\n");
  CHECK(scene.answer() == "$1\r\n0\r\n$1\r\n1\r\n+PONG\r\n");
  scene.relay.deliver(0, "*1\r\n$1\r\n2\r\n");
  CHECK(scene.answer() == "*2\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n");
  CHECK(scene.relay.replies == 5);
}

TEST_CASE("with one server nothing is hashed, split or fanned out") {
  Scene scene(listener(1));
  for (const char* line : {"get x", "mget x y z", "rename x y", "dbsize", "keys *", "scan 0", "flushall",
                           "script load s", "eval s 2 x y", "randomkey", "sort x by w_*", "msetnx x 1 y 2"}) {
    INFO(line);
    scene.send(line);
    CHECK(scene.verdicts() == Verdicts{"pass 0"});
    CHECK(*scene.relay.owed(0) == scene.encoded(line));
    scene.relay.deliver(0, "+fine\r\n");
  }
}

TEST_CASE("Failover: all go to the preferred backend, and move with it") {
  Scene scene(listener(3, RedisMode::failover));
  scene.send("mget x y z");
  scene.availability.up = {false, true, true};
  scene.send("get x");
  scene.availability.up = {true, true, true};
  scene.send("get x");
  CHECK(scene.verdicts() == Verdicts{"pass 0", "need_more", "pass 1", "need_more", "pass 0"});
  scene.availability.up = {true, false, true};
  CHECK(scene.core->elsewhere(1, Home::anywhere, false) == 0);
  CHECK(scene.core->elsewhere(0, Home::anywhere, false) == kNoBackend);
}

TEST_CASE("Spread: a client stays with its backend while that is usable, the next client gets the next one") {
  Scene scene(listener(3, RedisMode::spread));
  scene.send("get x");
  const std::string first = scene.verdicts().at(0);
  for (int i = 0; i < 5; ++i) scene.send("set x y");
  for (const auto& verdict : scene.verdicts()) CHECK((verdict == first || verdict == "need_more"));

  ToyRelay other(*scene.core, 3);
  other.receive(request({"get", "x"}));
  CHECK(other.verdicts.at(0) != first);

  scene.availability.up.assign(3, true);
  scene.availability.up[static_cast<std::size_t>(first.back() - '0')] = false;
  scene.send("get x");
  CHECK(scene.verdicts().at(0) != first);
  CHECK(scene.core->elsewhere(static_cast<BackendIndex>(first.back() - '0'), Home::anywhere, false) !=
        kNoBackend);
}

TEST_CASE("a sharded store never goes elsewhere: a shard that is away keeps its keys") {
  Scene scene(listener(2));
  scene.availability.up = {false, true};
  scene.send("get a0");
  CHECK(scene.verdicts() == Verdicts{"pass 0"});
  CHECK(scene.core->elsewhere(0, Home::anywhere, false) == kNoBackend);
}

TEST_CASE("without any usable backend a client waits, and gets an error when that lasts too long") {
  for (const auto mode : {RedisMode::failover, RedisMode::spread}) {
    Scene scene(listener(2, mode));
    scene.availability.up = {false, false};
    scene.send("get x");
    CHECK(scene.relay.waiting);
    CHECK(scene.answer().empty());
    SECTION("one comes back in time") {
      scene.availability.up = {false, true};
      scene.relay.go_on();
      CHECK_FALSE(scene.relay.waiting);
      CHECK(*scene.relay.owed(1) == request({"get", "x"}));
    }
    SECTION("none comes back") {
      scene.relay.give_up();
      CHECK(scene.answer() == "-ERR no backend is available\r\n");
      scene.send("get y");  // no second wait while it is so
      CHECK(scene.answer() == "-ERR no backend is available\r\n");
      scene.availability.up = {true, false};
      scene.send("get z");
      CHECK(*scene.relay.owed(0) == request({"get", "z"}));
      scene.availability.up = {false, false};
      scene.send("get z");
      CHECK(scene.relay.waiting);
    }
  }
}

TEST_CASE("a listener without backends waits for its first ones") {
  for (const char* line : {"get x", "mget x y", "dbsize", "scan 0", "time"}) {
    INFO(line);
    Scene scene(listener(0));
    scene.send(line);
    CHECK(scene.relay.waiting);
    scene.relay.give_up();
    CHECK(scene.answer() == "-ERR no backend is available\r\n");
    Scene fresh(listener(0));
    fresh.send(line);
    CHECK(fresh.relay.waiting);
    fresh.config = listener(1);
    fresh.availability.up = {true};
    const auto core = redis::make_core(fresh.config, fresh.availability);
    core->rebind(fresh.relay.session());
    fresh.relay.go_on();
    CHECK(*fresh.relay.owed(0) == fresh.encoded(line));
  }
}

TEST_CASE("an ejecting ring gives a dead shard's keys to the others, and takes them back") {
  config::Listener config = listener(2);
  config.redis.ejection = config::Ejection{};
  Scene scene(config);
  scene.send("get a0");
  scene.availability.up = {false, true};
  scene.send("get a0");
  scene.send("mget a0 a1");
  scene.availability.up = {true, true};
  scene.send("get a0");
  CHECK(scene.verdicts() ==
        Verdicts{"pass 0", "need_more", "pass 1", "need_more", "pass 1", "need_more", "pass 0"});
  scene.availability.up = {false, false};
  scene.send("get a0");
  CHECK(scene.relay.waiting);
  scene.relay.give_up();
  CHECK(scene.answer().empty());  // the earlier ones are due first
}

TEST_CASE("a request that got no reply is answered with an error that names the backend") {
  Scene scene(listener(2));
  const std::vector<std::pair<Failure, std::string>> cases{
      {Failure::no_backend, "-ERR no backend is available\r\n"},
      {Failure::unreachable, "-ERR backend some-backend:1 unreachable; the command was not sent\r\n"},
      {Failure::lost,
       "-ERR backend some-backend:1 closed the connection; the command may have been carried out\r\n"},
      {Failure::timed_out,
       "-ERR backend some-backend:1 did not answer in time; the command may have been carried out\r\n"},
      {Failure::refused,
       "-ERR backend some-backend:1 refused the ambassador's connection: ; the command was not sent\r\n"},
      {Failure::overloaded,
       "-ERR backend some-backend:1 has too many requests waiting; the command was not sent\r\n"},
  };
  for (const auto& [failure, text] : cases) {
    scene.send("get a0");
    scene.relay.lose(0, failure);
    CHECK(scene.answer() == text);
  }
  std::string out;
  scene.relay.session().fail(Failure::lost, std::string(1000, 'n') + "\r\n", {}, out);
  CHECK(out.size() < 250);
  CHECK(out.find('\r') == out.size() - 2);
}

TEST_CASE("a reloaded configuration applies from the next message on; what is under way ends as it began") {
  Scene scene(listener(2));
  scene.send("get a1");
  scene.send("mget a0 a1");
  const auto half = scene.encoded("get a1");
  scene.relay.receive(half.substr(0, 10));

  ToldAvailability availability(1);
  const auto core = redis::make_core(listener(1), availability);
  core->rebind(scene.relay.session());
  scene.relay.receive(half.substr(10));
  scene.send("mget a0 a1");
  CHECK(*scene.relay.owed(0) == request({"mget", key_on(scene.config, 0)}));
  scene.relay.deliver(1, "$1\r\nx\r\n");
  scene.relay.deliver(1, "*1\r\n$1\r\n1\r\n");
  scene.relay.deliver(0, "*1\r\n$1\r\n0\r\n");
  CHECK(scene.answer() == "$1\r\nx\r\n*2\r\n$1\r\n0\r\n$1\r\n1\r\n");
  CHECK(*scene.relay.owed(0) == half);
  scene.relay.deliver(0, "$1\r\ny\r\n");
  CHECK(*scene.relay.owed(0) == scene.encoded("mget a0 a1"));
}

TEST_CASE("QUIT is answered after what came before it, then the connection is closed") {
  Scene scene(listener(2));
  scene.relay.receive(scene.encoded("get a0") + request({"QUIT"}) + scene.encoded("get a0"));
  CHECK(scene.relay.closed());
  scene.relay.deliver(0, "$-1\r\n");
  CHECK(scene.answer() == "$-1\r\n+OK\r\n");
  CHECK(scene.relay.owed(0) == nullptr);
}

TEST_CASE("what reads and nothing else may be asked once more") {
  Scene scene(listener(2));
  const auto reads = [&](const std::string& line, bool expected) {
    INFO(line);
    scene.send(line);
    CHECK(scene.relay.owed_reads(0) == expected);
    scene.relay.deliver(0, "*1\r\n$1\r\nx\r\n");
    if (scene.relay.owed(1) != nullptr) {
      CHECK(scene.relay.owed_reads(1) == expected);
      scene.relay.deliver(1, "*1\r\n$1\r\nx\r\n");
    }
  };
  for (const char* line : {"get a0", "zrange a0 0 -1", "mget a0 a1", "dbsize", "eval_ro x 1 a0"})
    reads(line, true);
  for (const char* line : {"set a0 1", "getdel a0", "getex a0", "mset a0 1 a1 1", "del a0 a1", "scan 0",
                           "eval x 1 a0", "evalsha_ro x 1 a0", "touch a0 a1", "publish a0 x"})
    reads(line, false);
  for (const char* line : {"multi", "get a0"}) scene.send(line);
  reads("exec", false);
  reads("get a0", true);
}
