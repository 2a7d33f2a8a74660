#include <catch2/catch.hpp>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/probe.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;

TEST_CASE("what concerns the connection is answered here, as Redis 7.0 does") {
  Scene scene(listener(2));
  const std::vector<std::pair<std::string, std::string>> cases{
      {"ping", "+PONG\r\n"},
      {"ping hello", "$5\r\nhello\r\n"},
      {"ping a b", "-ERR wrong number of arguments for 'ping' command\r\n"},
      {"echo hello", "$5\r\nhello\r\n"},
      {"select 0", "+OK\r\n"},
      {"select -1", "-ERR DB index is out of range\r\n"},
      {"select 32768", "-ERR DB index is out of range\r\n"},
      {"select x", "-ERR value is not an integer or out of range\r\n"},
      {"client id", ":1\r\n"},
      {"client getname", "$-1\r\n"},
      {"client setname me", "+OK\r\n"},
      {"client getname", "$2\r\nme\r\n"},
      {"client setinfo lib-name redis-py", "+OK\r\n"},
      {"client setinfo LIB-VER 5.0", "+OK\r\n"},
      {"client setinfo lib-x 1", "-ERR Unrecognized option 'lib-x'\r\n"},
      {"client no-evict on", "+OK\r\n"},
      {"client no-evict perhaps", "-ERR syntax error\r\n"},
      {"reset", "+RESET\r\n"},
      {"client getname", "$-1\r\n"},
      {"auth secret",
       "-ERR AUTH <password> called without any password configured for the default user. Are you sure your "
       "configuration is correct?\r\n"},
      {"auth default secret", "+OK\r\n"},
      {"auth someone secret", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
      {"auth a b c", "-ERR syntax error\r\n"},
      {"hello 4", "-NOPROTO unsupported protocol version\r\n"},
      {"hello 1", "-NOPROTO unsupported protocol version\r\n"},
      {"hello two", "-ERR Protocol version is not an integer or out of range\r\n"},
      {"hello 2 foo", "-ERR Syntax error in HELLO option 'foo'\r\n"},
      {"hello 2 auth someone x", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
      {"cluster info", "-ERR This instance has cluster support disabled\r\n"},
      {"readonly", "-ERR This instance has cluster support disabled\r\n"},
      {"command info nonsense", "*1\r\n$-1\r\n"},
      {"command docs nonsense", "*0\r\n"},
  };
  for (const auto& [line, answer] : cases) {
    INFO(line);
    scene.send(line);
    CHECK(scene.answer() == answer);
  }
  CHECK(scene.relay.owed(0) == nullptr);
  CHECK(scene.relay.owed(1) == nullptr);
}

TEST_CASE("HELLO 2 introduces the proxy as a standalone server and takes the client's name") {
  Scene scene(listener(2));
  const std::string expected =
      "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n$"
      "2\r\nid\r\n:1\r\n"
      "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
  for (const char* line : {"hello", "hello 2", "hello 2 auth default x setname me"}) {
    scene.send(line);
    CHECK(scene.answer() == expected);
  }
  scene.send("client getname");
  CHECK(scene.answer() == "$2\r\nme\r\n");
}

TEST_CASE("names with blanks or line ends are refused, for they would forge lines in CLIENT LIST") {
  Scene scene(listener(2));
  for (const auto& name : std::vector<std::string>{"two words", "line\n", "bell\a", std::string(300, 'x')}) {
    scene.relay.receive(request({"CLIENT", "SETNAME", name}));
    CHECK(scene.answer() == "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
    scene.relay.receive(request({"CLIENT", "SETINFO", "LIB-NAME", name}));
    CHECK(scene.answer() == "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n");
  }
}

TEST_CASE("clients have different numbers") {
  Scene scene(listener(2));
  ToyRelay other(*scene.core, 2);
  other.receive(request({"client", "id"}));
  CHECK(other.out == ":2\r\n");
}

TEST_CASE("CLIENT INFO and CLIENT LIST describe the client that asks") {
  Scene scene(listener(2));
  scene.send("client setname me");
  scene.answer();
  for (const char* line : {"client info", "client list"}) {
    scene.send(line);
    const std::string answer = scene.answer();
    CHECK(redis::reply_size(answer) == answer.size());
    CHECK(answer.find("id=1 name=me ") != std::string::npos);
  }
}

TEST_CASE("INFO has what client libraries look for, by section") {
  Scene scene(listener(2));
  for (const char* line : {"info", "INFO ALL", "info everything", "info default"}) {
    scene.send(line);
    const std::string answer = scene.answer();
    CHECK(redis::reply_size(answer) == answer.size());
    CHECK(answer.find("# Server\r\nredis_version:7.0.15\r\n") != std::string::npos);
    CHECK(answer.find(
              "ambassador_listener:cache.main\r\nambassador_mode:sharded\r\nambassador_backends:2\r\n") !=
          std::string::npos);
  }
  scene.send("info replication cluster");
  const std::string two =
      "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n";
  CHECK(scene.answer() == "$" + std::to_string(two.size()) + "\r\n" + two + "\r\n");
  scene.send("info nonsense");
  CHECK(scene.answer() == "$0\r\n\r\n");
}

TEST_CASE("COMMAND lists what can be used here") {
  Scene scene(listener(2));
  scene.send("command count");
  const std::string count = scene.answer();
  const auto offered = std::count_if(redis::kCommands.begin(), redis::kCommands.end(),
                                     [](const auto& c) { return c.route != redis::Route::refused; });
  CHECK(count == ":" + std::to_string(offered) + "\r\n");
  for (const char* line : {"command", "command info", "command list", "command docs"}) {
    INFO(line);
    scene.send(line);
    const std::string answer = scene.answer();
    CHECK(redis::reply_size(answer) == answer.size());
    const auto elements = std::string(line) == "command docs" ? 2 * offered : offered;
    CHECK(answer.starts_with("*" + std::to_string(elements) + "\r\n"));
    CHECK(answer.find("$3\r\nget\r\n") != std::string::npos);
    CHECK(answer.find("$7\r\nmonitor\r\n") == std::string::npos);
  }
  scene.send("command info GET monitor nonsense");
  const std::string some = scene.answer();
  CHECK(some.starts_with("*3\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"));
  CHECK(some.ends_with("$-1\r\n$-1\r\n"));
  scene.send("command docs get");
  CHECK(scene.answer().starts_with("*2\r\n$3\r\nget\r\n*8\r\n$7\r\nsummary\r\n"));
}

TEST_CASE("COMMAND INFO does not make a mountain of a long request") {
  Scene scene(listener(2));
  std::vector<std::string> words{"command", "info"};
  words.resize(5000, "get");
  scene.relay.receive(request(words));
  CHECK(scene.answer() == "-ERR too many command names\r\n");
}

TEST_CASE("a probe is healthy when the server answers PING, or only wants to know who asks") {
  using Health = ProtocolCore::Health;
  CHECK(redis::kProbeRequest == "*1\r\n$4\r\nPING\r\n");
  const std::vector<std::pair<std::string, Health>> cases{
      {"", Health::need_more},
      {"+PON", Health::need_more},
      {"+PONG\r", Health::need_more},
      {"+PONG\r\n", Health::healthy},
      {"-NOAUTH Authentication required.\r\n", Health::healthy},
      {"-NOPERM this user has no permissions\r\n", Health::healthy},
      {"-LOADING Redis is loading the dataset in memory\r\n", Health::unhealthy},
      {"-MASTERDOWN Link with MASTER is down\r\n", Health::unhealthy},
      {"-ERR max number of clients reached\r\n", Health::unhealthy},
      {"HTTP/1.1 400 Bad Request\r\n", Health::unhealthy},
      {std::string(2000, 'x'), Health::unhealthy},
  };
  for (const auto& [reply, health] : cases) {
    INFO(reply.substr(0, 40));
    CHECK(redis::judge_probe(reply) == health);
  }
}
