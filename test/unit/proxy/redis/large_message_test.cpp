#include <catch2/catch.hpp>

#include "proxy/redis/limits.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using redis::kCollect;
using redis::kMaxWhole;

namespace {

// Sends `bytes` in pieces, and says the most that the relay had to hold.
std::size_t send_in_pieces(Scene& scene, std::string_view bytes, std::size_t piece) {
  std::size_t held = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    scene.relay.receive(bytes.substr(at, piece));
    held = std::max(held, scene.relay.held());
  }
  return held;
}

}  // namespace

TEST_CASE("a message up to 64 KiB reaches its lane in one piece") {
  Scene scene(listener(2));
  const std::string bytes = request({"SET", key_on(scene.config, 1), std::string(kCollect - 100, 'v')});
  scene.relay.receive(bytes.substr(0, bytes.size() - 1));
  CHECK(scene.relay.owed(1) == nullptr);
  scene.relay.receive(bytes.substr(bytes.size() - 1));
  CHECK(scene.verdicts().back() == "pass 1");
  CHECK(*scene.relay.owed(1) == bytes);
}

TEST_CASE("a larger message for one key streams: 64 KiB are held, not all of it") {
  const std::vector<std::vector<std::string>> commands{
      {"SET", "KEY", std::string(1000000, 'v')},
      {"SET", "KEY", std::string(200000, 'v'), "EX", "10"},
      {"HSET", "KEY", "f", std::string(100000, 'v'), "g", std::string(100000, 'w'), "h", "x"},
      {"RPUSH", "KEY", std::string(kCollect, 'a'), "b", std::string(kCollect, 'c')},
  };
  for (auto words : commands) {
    Scene scene(listener(2));
    words[1] = key_on(scene.config, 1);
    const std::string bytes = request(words);
    for (const std::size_t piece :
         {std::size_t{1000}, std::size_t{16384}, std::size_t{70000}, bytes.size() - 1}) {
      const std::size_t held = send_in_pieces(scene, bytes, piece);
      CHECK(held <= std::max(kCollect + piece, piece));
      CHECK_FALSE(scene.relay.streaming());
      REQUIRE(scene.relay.owed(1) != nullptr);
      REQUIRE(*scene.relay.owed(1) == bytes);
      scene.relay.deliver(1, "+OK\r\n");
      scene.send("ping");
      REQUIRE(scene.answer() == "+OK\r\n+PONG\r\n");
    }
  }
}

TEST_CASE("many small arguments stream as well") {
  Scene scene(listener(2));
  std::vector<std::string> words{"RPUSH", key_on(scene.config, 0)};
  for (int i = 0; i < 50000; ++i) words.push_back(std::to_string(i));
  const std::string bytes = request(words);
  CHECK(send_in_pieces(scene, bytes, 4096) <= kCollect + 4096);
  CHECK(*scene.relay.owed(0) == bytes);
}

TEST_CASE("when one backend serves all keys, any forwarded command streams") {
  for (const auto mode :
       {config::RedisMode::sharded, config::RedisMode::failover, config::RedisMode::spread}) {
    Scene scene(listener(mode == config::RedisMode::sharded ? 1 : 2, mode));
    const std::string bytes = request({"MSET", "a", std::string(200000, 'v'), "b", std::string(200000, 'w')});
    CHECK(send_in_pieces(scene, bytes, 10000) <= kCollect + 10000);
    const std::string* owed = scene.relay.owed(0);
    if (owed == nullptr) owed = scene.relay.owed(1);
    REQUIRE(owed != nullptr);
    CHECK(*owed == bytes);
  }
}

TEST_CASE("a large command that has to be split is collected, up to a limit") {
  Scene scene(listener(2));
  const std::string a = key_on(scene.config, 0);
  const std::string b = key_on(scene.config, 1);
  const std::string value(1000000, 'v');
  send_in_pieces(scene, request({"MSET", a, value, b, value}), 50000);
  CHECK(*scene.relay.owed(0) == request({"MSET", a, value}));
  CHECK(*scene.relay.owed(1) == request({"MSET", b, value}));
  scene.relay.deliver(0, "+OK\r\n");
  scene.relay.deliver(1, "+OK\r\n");
  CHECK(scene.answer() == "+OK\r\n");

  const std::string huge(kMaxWhole, 'v');
  const std::size_t held = send_in_pieces(scene, request({"MSET", a, huge, b, value}), 100000);
  CHECK(held <= kMaxWhole + kCollect);
  CHECK(scene.answer() ==
        "-ERR a command that is not for one key only may have 8 MiB here; send it in smaller parts\r\n");
  CHECK(scene.relay.owed(0) == nullptr);
  scene.send("ping");
  CHECK(scene.answer() == "+PONG\r\n");
}

TEST_CASE("a large message that is refused is dropped as it comes, and answered at its end") {
  const std::string big(300000, 'x');
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"NONSENSE", "a", big}, "-ERR unknown command 'NONSENSE', with args beginning with: \r\n"},
      {{"GET", "a", big}, "-ERR wrong number of arguments for 'get' command\r\n"},
      {{"CLIENT", "FOO", big}, "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"},
      {{"SCRIPT", "DEBUG", big},
       "-ERR SCRIPT DEBUG is not supported in this version of the ambassador: it would change what other "
       "clients of this connection see\r\n"},
  };
  for (const auto& [words, answer] : cases) {
    Scene scene(listener(2));
    const std::string bytes = request(words);
    CHECK(send_in_pieces(scene, bytes.substr(0, bytes.size() - 1), 5000) <= kCollect + 5000);
    CHECK(scene.answer().empty());
    scene.relay.receive(bytes.substr(bytes.size() - 1));
    CHECK(scene.answer() == answer);
    scene.send("ping");
    CHECK(scene.answer() == "+PONG\r\n");
  }
}

TEST_CASE("a large name is no command, and is not held for long") {
  Scene scene(listener(2));
  const std::string bytes = request({std::string(20000000, 'x')});
  CHECK(send_in_pieces(scene, bytes, 1000000) <= kMaxWhole + 1000000);
  CHECK(scene.answer().starts_with("-ERR "));
  scene.send("ping");
  CHECK(scene.answer() == "+PONG\r\n");
}

TEST_CASE("a large message waits for a backend like a small one") {
  Scene scene(listener(2, config::RedisMode::failover));
  scene.availability.up = {false, false};
  const std::string bytes = request({"SET", "k", std::string(200000, 'v')});
  scene.relay.receive(bytes.substr(0, 100000));
  CHECK(scene.relay.waiting);
  SECTION("it comes") {
    scene.availability.up = {false, true};
    scene.relay.go_on();
    scene.relay.receive(bytes.substr(100000));
    CHECK(*scene.relay.owed(1) == bytes);
  }
  SECTION("it does not") {
    scene.relay.give_up();
    CHECK(scene.answer().empty());
    scene.relay.receive(bytes.substr(100000));
    CHECK(scene.answer() == "-ERR no backend is available\r\n");
  }
}

TEST_CASE("garbage in the middle of a streamed message closes the client") {
  Scene scene(listener(2));
  const std::string bytes =
      request({"HSET", key_on(scene.config, 1), "f", std::string(100000, 'v'), "g", "w"});
  scene.relay.receive(bytes.substr(0, 99000));
  CHECK(scene.relay.streaming());
  scene.relay.receive(bytes.substr(99000, bytes.size() - 99000 - 14) + "garbage");
  CHECK(scene.relay.closed());
}
