#include "proxy/redis/invalidation.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace ambassador::proxy::redis;
using What = Invalidation::What;

TEST_CASE("a push tells which keys have changed, or that all may have") {
  struct Row {
    std::string push;
    What what;
    std::vector<std::string_view> keys;
  };
  const std::string begin = ">2\r\n$10\r\ninvalidate\r\n";
  const std::vector<Row> rows{
      {begin + "*1\r\n$1\r\nk\r\n", What::keys, {"k"}},
      {begin + "*2\r\n$3\r\na\r\n\r\n$0\r\n\r\n", What::keys, {"a\r\n", ""}},
      {begin + "*0\r\n", What::keys, {}},
      {begin + "_\r\n", What::all, {}},         // FLUSHALL, as Redis 7 says it
      {begin + "*-1\r\n", What::all, {}},       // in an older spelling
      {begin + "*1\r\n:7\r\n", What::all, {}},  // no key: who knows which
      {begin + "*2\r\n$1\r\nk\r\n", What::all, {}},
      {begin + "*1\r\n$9\r\nk\r\n", What::all, {}},
      {begin, What::all, {}},
      {"", What::all, {}},  // too long to be read
      {">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nk\r\n", What::nothing, {}},
      {">1\r\n:1\r\n", What::nothing, {}},
      {"*2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", What::nothing, {}},  // no push
      {">x", What::nothing, {}},
      {">2\r\n$10\r\ninval", What::nothing, {}},
  };
  for (const Row& row : rows) {
    INFO(row.push);
    const Invalidation said = read_invalidation(row.push);
    CHECK(said.what == row.what);
    if (row.what == What::keys) CHECK(said.keys == row.keys);
  }
}
