#include <catch2/catch.hpp>

#include "proxy/redis/request_name.hpp"
#include "scene.hpp"

using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using redis::name_request;

namespace {

std::string named(const std::string& request) {
  const RequestName name = name_request(request);
  return std::string(name.command) + " " + std::string(name.key);
}

}  // namespace

TEST_CASE("a request is told by its command and its first key, and by nothing else of it") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"GET", "k"}, "get k"},
      {{"set", "k", "secret"}, "set k"},
      {{"MSET", "a", "1", "b", "2"}, "mset a"},
      {{"DEL", "a", "b"}, "del a"},
      {{"EVAL", "return 1", "2", "a", "b", "secret"}, "eval a"},
      {{"EVAL", "return 1", "0", "secret"}, "eval "},
      {{"ZUNIONSTORE", "to", "2", "a", "b"}, "zunionstore to"},
      {{"XREAD", "COUNT", "1", "STREAMS", "s", "0"}, "xread s"},
      {{"WATCH", "a", "b"}, "watch a"},
      {{"OBJECT", "ENCODING", "k"}, "object|encoding k"},
      {{"PING", "secret"}, "ping "},
      {{"AUTH", "user", "secret"}, "auth "},
      {{"KEYS", "*"}, "keys "},
      {{"NOSUCH", "k"}, " "},
      {{"GET"}, "get "},
      {{"GET", ""}, "get "},
  };
  for (const auto& [words, expected] : cases) {
    INFO(words[0]);
    CHECK(named(request(words)) == expected);
  }
}

TEST_CASE("a transaction is told by its first command's key") {
  const std::string multi = request({"MULTI"});
  CHECK(named(multi + request({"INCR", "a"}) + request({"SET", "b", "x"}) + request({"EXEC"})) == "exec a");
  CHECK(named(multi + request({"EXEC"})) == "exec ");
  CHECK(named(multi) == "exec ");
}

TEST_CASE("the beginning of a request is enough, and any is borne") {
  const std::string whole = request({"SET", "a-long-key", "value"});
  const std::string key = "set a-long-key";
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const std::string name = named(whole.substr(0, n));
    INFO(n << " " << name);
    CHECK((name == " " || key.starts_with(name)));
  }
  CHECK(named(whole.substr(0, whole.size() - 3)) == key);
  CHECK(named(whole.substr(0, whole.find("long"))) == "set a-");
  CHECK(named("garbage") == " ");
  CHECK(named("GET k\r\n") == " ");
  CHECK(named("*2\r\n$3\r\nGET\r\n!") == " ");
}
