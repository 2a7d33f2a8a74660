// What a server says of itself when it is asked.
#include "proxy/postgresql/standing.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

using namespace ambassador::proxy;
using namespace ambassador::proxy::postgresql;

namespace {

using Value = std::optional<std::string>;

std::string row(const std::vector<Value>& values) {
  std::string body{'\0', static_cast<char>(values.size())};
  for (const Value& value : values) {
    if (!value) {
      body += "\xff\xff\xff\xff";
      continue;
    }
    body += std::string(3, '\0') + static_cast<char>(value->size()) + *value;
  }
  return body;
}

}  // namespace

TEST_CASE("a primary says its timeline and LSN, a standby what it replayed") {
  const auto primary = read_standing(row({"f", "0000000A00000010000000FF", "10/FF0000A8"}));
  REQUIRE(primary);
  CHECK(primary->role == Role::primary);
  CHECK(primary->term == 10);
  CHECK(primary->position == 0x10ff0000a8);
  const auto standby = read_standing(row({"t", std::nullopt, "0/3000148"}));
  REQUIRE(standby);
  CHECK(standby->role == Role::replica);
  CHECK(standby->term == 0);
  CHECK(standby->position == 0x3000148);
}

TEST_CASE("what is not known yet is said to be so") {
  const auto fresh = read_standing(row({"t", std::nullopt, std::nullopt}));
  REQUIRE(fresh);
  CHECK(fresh->position == 0);
  const auto just_promoted = read_standing(row({"f", std::nullopt, "0/3000148"}));
  REQUIRE(just_promoted);
  CHECK(just_promoted->role == Role::primary);
  CHECK(just_promoted->term == 0);
}

TEST_CASE("a primary that is to begin a page is where the last one ended") {
  const auto at = [](const char* lsn) {
    return read_standing(row({"f", "0000000A00000010000000FF", lsn}))->position;
  };
  CHECK(at("0/3000018") == 0x3000000);
  CHECK(at("0/3002018") == 0x3002000);
  CHECK(at("0/3000020") == 0x3000020);
  CHECK(at("0/3001018") == 0x3001018);
  CHECK(read_standing(row({"t", std::nullopt, "0/3000018"}))->position == 0x3000018);
}

TEST_CASE("what is no such row is nothing") {
  const std::string good = row({"f", "0000000A00000010000000FF", "10/FF0000A8"});
  for (std::size_t i = 0; i < good.size(); ++i) CHECK_FALSE(read_standing(good.substr(0, i)));
  CHECK_FALSE(read_standing(good + "x"));
  const std::vector<std::vector<Value>> rows{
      {"x", std::nullopt, "0/1"},         {std::nullopt, std::nullopt, "0/1"}, {"f", "0000", "0/1"},
      {"f", "0000000G0000", "0/1"},       {"t", std::nullopt, "01"},           {"t", std::nullopt, "/"},
      {"t", std::nullopt, "100000000/0"}, {"t", std::nullopt, "0/-1"},         {"t", std::nullopt}};
  for (const auto& values : rows) CHECK_FALSE(read_standing(row(values)));
}
