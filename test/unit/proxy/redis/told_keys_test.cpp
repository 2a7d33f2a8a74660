// Which keys of a client's commands are told to who wants to know what is asked for.
#include <catch2/catch.hpp>

#include "proxy/redis/limits.hpp"
#include "proxy/redis/request_name.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;

namespace {

using Keys = std::vector<std::string>;

Keys told(Scene& scene) {
  return std::exchange(scene.relay.told.keys, {});
}
Keys told_of(Scene& scene, const std::vector<std::string>& words) {
  scene.relay.receive(request(words));
  return told(scene);
}

}  // namespace

TEST_CASE("each key of a command is told once, and nothing else of it") {
  const std::vector<std::pair<std::vector<std::string>, Keys>> cases{
      {{"GET", "k"}, {"k"}},
      {{"set", "k", "secret"}, {"k"}},
      {{"GET", ""}, {""}},
      {{"MGET", "a", "b", "a"}, {"a", "b", "a"}},
      {{"MSET", "a", "1", "b", "2"}, {"a", "b"}},
      {{"EVAL", "return 1", "2", "a", "b", "secret"}, {"a", "b"}},
      {{"ZUNIONSTORE", "to", "2", "a", "b"}, {"to", "a", "b"}},
      {{"XREAD", "COUNT", "1", "STREAMS", "s", "0"}, {"s"}},
      {{"OBJECT", "ENCODING", "k"}, {"k"}},
      {{"BLPOP", "a", "b", "0"}, {"a", "b"}},
      {{"PUBLISH", "channel", "secret"}, {"channel"}},
      {{"PING", "secret"}, {}},
      {{"AUTH", "secret"}, {}},
      {{"KEYS", "*"}, {}},
      {{"GET"}, {}},
      {{"NOSUCH", "k"}, {}},
  };
  for (const auto& [words, keys] : cases) {
    INFO(words[0]);
    Scene scene(listener(1));
    CHECK(told_of(scene, words) == keys);
  }
  Scene scene(listener(1));
  scene.relay.receive("GET k\r\n");
  CHECK(told(scene) == Keys{"k"});
  Keys many{"DEL"};
  for (int i = 0; i < 1000; ++i) many.push_back("k" + std::to_string(i));
  CHECK(told_of(scene, many) == Keys(many.begin() + 1, many.begin() + 1 + redis::kNamedMost));
}

TEST_CASE("keys of what is split, watched or in a transaction are told once, too") {
  Scene scene(listener(2));
  const config::Listener& l = scene.config;
  const std::string a0 = key_on(l, 0, 0), a1 = key_on(l, 1, 0);
  CHECK(told_of(scene, {"MGET", a0, a1}) == Keys{a0, a1});
  CHECK(told_of(scene, {"DEL", a0}) == Keys{a0});
  CHECK(told_of(scene, {"DBSIZE"}).empty());
  CHECK(told_of(scene, {"SCAN", "0"}).empty());
  CHECK(told_of(scene, {"RENAME", a0, a1}).empty());  // it is refused
  CHECK(told_of(scene, {"MULTI"}).empty());
  CHECK(told_of(scene, {"INCR", a0}) == Keys{a0});
  CHECK(told_of(scene, {"SET", a0, "v"}) == Keys{a0});
  CHECK(told_of(scene, {"EXEC"}).empty());
  Scene watching(listener(2));
  CHECK(told_of(watching, {"WATCH", a0}) == Keys{a0});
}

TEST_CASE("a command that has to wait is told when it goes") {
  Scene scene(listener(2, config::RedisMode::failover));
  scene.availability.up = {false, false};
  CHECK(told_of(scene, {"GET", "k"}).empty());
  scene.relay.go_on();
  CHECK(told(scene).empty());
  scene.availability.up = {true, false};
  scene.relay.go_on();
  CHECK(told(scene) == Keys{"k"});
}

TEST_CASE("the key of a large message is told once, when it begins") {
  Scene scene(listener(2));
  const std::string whole = request({"SET", "large", std::string(2 * redis::kCollect, 'x')});
  scene.relay.receive(std::string_view(whole).substr(0, redis::kCollect + 100));
  CHECK(told(scene) == Keys{"large"});
  scene.relay.receive(std::string_view(whole).substr(redis::kCollect + 100));
  CHECK(told(scene).empty());
}
