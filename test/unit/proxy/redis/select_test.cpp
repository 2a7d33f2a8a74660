// SELECT and HELLO 3: which kinds of connections a client's commands go over.
#include <catch2/catch.hpp>

#include "proxy/redis/lane_kind.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using redis::lane_kind;
using redis::Resp;
using Verdicts = std::vector<std::string>;

namespace {

constexpr const char* kNoSuch = "ERR DB index is out of range";

}  // namespace

TEST_CASE("a database is asked of a server on a connection to it, and is where all that follows goes") {
  Scene scene(listener(2));
  scene.send("select 5");
  CHECK(*scene.relay.owed(0) == request({"select", "5"}));
  CHECK(scene.relay.kind(0) == lane_kind(Resp::two, 5));
  scene.relay.deliver(0, "+OK\r\n");
  CHECK(scene.answer() == "+OK\r\n");
  scene.verdicts();
  scene.send("get a1");
  scene.send("mget a0 a1");
  scene.send("dbsize");
  scene.send("scan 0");
  const std::string five = std::to_string(static_cast<int>(lane_kind(Resp::two, 5)));
  for (const std::string& verdict : scene.verdicts()) {
    INFO(verdict);
    const bool asks = verdict.starts_with("pass") || verdict.starts_with("ask");
    if (asks) CHECK(verdict.find("/" + five) != std::string::npos);
  }
  scene.send("client info");
  scene.send("select 0");
  scene.send("get a1");
  CHECK(scene.verdicts().back() == "pass 1");
}

TEST_CASE("a client in database 0 that selects it is answered here") {
  Scene scene(listener(2));
  scene.send("select 0");
  CHECK(scene.answer() == "+OK\r\n");
  CHECK(scene.relay.owed(0) == nullptr);
}

TEST_CASE("SELECT of a database that no server has is an error, and leaves the client where it was") {
  Scene scene(listener(1));
  scene.send("select 3");
  scene.relay.deliver(0, "+OK\r\n");
  scene.send("select 99");
  CHECK(scene.relay.kind(0) == lane_kind(Resp::two, 99));
  scene.relay.lose(0, Failure::refused, kNoSuch);
  CHECK(scene.answer() == std::string("+OK\r\n-") + kNoSuch + "\r\n");
  scene.send("get a0");
  CHECK(scene.relay.kind(0) == lane_kind(Resp::two, 3));
}

TEST_CASE("what is sent behind a SELECT is done in its database or not at all") {
  Scene scene(listener(1));
  scene.relay.receive(scene.encoded("select 3") + scene.encoded("select 99") + scene.encoded("set a0 x") +
                      scene.encoded("select 0") + scene.encoded("set a0 y"));
  const auto kind = [&] { return scene.relay.kind(0); };
  CHECK(kind() == lane_kind(Resp::two, 3));
  scene.relay.deliver(0, "+OK\r\n");
  CHECK(kind() == lane_kind(Resp::two, 99));
  scene.relay.lose(0, Failure::refused, kNoSuch);
  CHECK(kind() == lane_kind(Resp::two, 99));
  scene.relay.lose(0, Failure::refused, kNoSuch);
  CHECK(kind() == LaneKind::ordinary);
  scene.relay.deliver(0, "+OK\r\n");
  const std::string no = std::string("-") + kNoSuch + "\r\n";
  CHECK(scene.answer() == "+OK\r\n" + no + no + "+OK\r\n+OK\r\n");
  scene.send("get a0");
  CHECK(kind() == LaneKind::ordinary);
}

TEST_CASE("the last SELECT that was answered with OK counts when later ones fail") {
  Scene scene(listener(1));
  scene.relay.receive(scene.encoded("select 1") + scene.encoded("select 2") + scene.encoded("select 99"));
  scene.relay.deliver(0, "+OK\r\n");
  scene.relay.lose(0, Failure::unreachable);
  scene.relay.lose(0, Failure::refused, kNoSuch);
  scene.answer();
  scene.send("get a0");
  CHECK(scene.relay.kind(0) == lane_kind(Resp::two, 1));
}

TEST_CASE("RESET puts a client back into RESP2 and database 0, whatever became of a SELECT before it") {
  Scene scene(listener(1));
  scene.send("hello 3");
  scene.relay.receive(scene.encoded("select 7") + scene.encoded("reset"));
  scene.relay.deliver(0, "+OK\r\n");
  CHECK(scene.answer().ends_with("+OK\r\n+RESET\r\n"));
  scene.relay.receive(scene.encoded("select 99"));
  scene.relay.lose(0, Failure::refused, kNoSuch);
  scene.send("get a0");
  CHECK(scene.relay.kind(0) == LaneKind::ordinary);
}

TEST_CASE("without a backend SELECT waits, and fails when the wait was in vain") {
  Scene scene(listener(2, config::RedisMode::failover));
  scene.availability.up = {false, false};
  scene.send("select 1");
  CHECK(scene.relay.waiting);
  scene.relay.give_up();
  CHECK(scene.answer() == "-ERR no backend is available\r\n");
  scene.availability.up = {true, true};
  scene.send("get a0");
  CHECK(scene.relay.kind(0) == LaneKind::ordinary);
}

TEST_CASE("HELLO 3 puts what follows on connections that speak RESP3, HELLO 2 back") {
  Scene scene(listener(2));
  scene.send("hello 3 setname me");
  const std::string introduced = scene.answer();
  CHECK(introduced.starts_with("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n"));
  CHECK(introduced.find("$5\r\nproto\r\n:3\r\n") != std::string::npos);
  CHECK(redis::reply_size(introduced) == introduced.size());
  scene.send("get a1");
  CHECK(scene.relay.kind(1) == lane_kind(Resp::three, 0));
  scene.relay.deliver(1, "_\r\n");
  CHECK(scene.answer() == "_\r\n");
  scene.send("select 4");
  CHECK(scene.relay.kind(0) == lane_kind(Resp::three, 4));
  scene.relay.deliver(0, "+OK\r\n");
  scene.send("hello");
  CHECK(scene.answer().starts_with("+OK\r\n%7\r\n"));
  scene.send("hello 4");
  CHECK(scene.answer() == "-NOPROTO unsupported protocol version\r\n");
  scene.send("hello 2");
  CHECK(scene.answer().starts_with("*14\r\n"));
  scene.send("get a0");
  CHECK(scene.relay.kind(0) == lane_kind(Resp::two, 4));
}

TEST_CASE("what is answered here is in the client's version of RESP") {
  Scene scene(listener(2));
  scene.send("hello 3");
  scene.answer();
  const std::vector<std::pair<std::string, std::string>> cases{
      {"client getname", "_\r\n"},         {"command info nonsense", "*1\r\n_\r\n"},
      {"command docs nonsense", "%0\r\n"}, {"ping", "+PONG\r\n"},
      {"info nonsense", "=4\r\ntxt:\r\n"},
  };
  for (const auto& [line, answer] : cases) {
    INFO(line);
    scene.send(line);
    CHECK(scene.answer() == answer);
  }
  for (const char* line : {"info", "client info", "client list", "command", "command docs", "command list",
                           "command docs get", "command info get"}) {
    INFO(line);
    scene.send(line);
    const std::string answer = scene.answer();
    CHECK(redis::reply_size(answer) == answer.size());
  }
  scene.send("client info");
  const std::string described = scene.answer();
  CHECK(described.starts_with("="));
  CHECK(described.find(" resp=3 ") != std::string::npos);
}

TEST_CASE("what COMMAND says has maps and sets in RESP3, as a server of Redis 7.0 says it") {
  Scene scene(listener(2));
  scene.send("hello 3");
  scene.answer();
  scene.send("command info get");
  CHECK(scene.answer() ==
        "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n~3\r\n+@read\r\n+@"
        "string\r\n+@fast\r\n"
        "~0\r\n~1\r\n%3\r\n$5\r\nflags\r\n~2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n%2\r\n$"
        "4\r\ntype\r\n$5\r\nindex\r\n"
        "$4\r\nspec\r\n%1\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n%2\r\n$4\r\ntype\r\n$5\r\nrange\r\n$"
        "4\r\nspec\r\n%3\r\n"
        "$7\r\nkeystep\r\n:1\r\n$7\r\nlastkey\r\n:0\r\n$5\r\nlimit\r\n:0\r\n~0\r\n");
  scene.send("command docs zadd");
  CHECK(scene.answer().starts_with("%1\r\n$4\r\nzadd\r\n%4\r\n$7\r\nsummary\r\n$81\r\n"));
}

TEST_CASE("replies of several servers become one in RESP3 too") {
  Scene scene(listener(2));
  scene.send("hello 3");
  scene.answer();
  scene.send("mget a0 a1 b0");
  scene.relay.deliver(1, "*1\r\n$1\r\n1\r\n");
  scene.relay.deliver(0, "*2\r\n_\r\n$1\r\n0\r\n");
  CHECK(scene.answer() == "*3\r\n_\r\n$1\r\n1\r\n$1\r\n0\r\n");
  scene.send("keys *");
  scene.relay.deliver(0, "*1\r\n$1\r\na\r\n");
  scene.relay.deliver(1, "~1\r\n$1\r\nb\r\n");
  CHECK(scene.answer() == "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  scene.send("randomkey");
  scene.relay.deliver(0, "_\r\n");
  scene.relay.deliver(1, "$1\r\nb\r\n");
  CHECK(scene.answer() == "$1\r\nb\r\n");
  scene.send("randomkey");
  scene.relay.deliver(0, "_\r\n");
  scene.relay.deliver(1, "_\r\n");
  CHECK(scene.answer() == "_\r\n");
  scene.send("mget a0 a1");
  scene.relay.deliver(0, "*1\r\n$1\r\n0\r\n");
  scene.relay.lose(1, Failure::refused, "NOPROTO unsupported protocol version");
  CHECK(scene.answer() == "*2\r\n$1\r\n0\r\n-NOPROTO unsupported protocol version\r\n");
}
