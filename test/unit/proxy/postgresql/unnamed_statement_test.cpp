#include "proxy/postgresql/unnamed_statement.hpp"

#include <catch2/catch.hpp>

using ambassador::proxy::postgresql::UnnamedStatement;

TEST_CASE("the unnamed statement is what was said last, unless the server passes that over") {
  UnnamedStatement statement;
  CHECK(statement.id() == 0);
  CHECK(statement.surely_none());
  statement.parse(1, "one");
  CHECK(statement.id() == 1);
  CHECK(statement.body() == "one");
  statement.answered(1);
  statement.parse(2, "two");
  statement.parse(3, "three");
  statement.drop(4);
  CHECK(statement.id() == 0);
  CHECK(!statement.surely_none());
  statement.answered(2);
  statement.passed_over(4);
  CHECK(statement.body() == "three");
  statement.passed_over(3);
  CHECK(statement.id() == 2);
  CHECK(statement.body() == "two");
}

TEST_CASE("a Parse that fails leaves no unnamed statement, and takes none of those behind it away") {
  UnnamedStatement statement;
  statement.parse(1, "one");
  statement.answered(1);
  statement.parse(2, "two");
  statement.failed(2);
  CHECK(statement.id() == 0);
  statement.parse(3, "three");
  statement.parse(4, "four");
  statement.failed(3);
  CHECK(statement.id() == 4);
  statement.drop();
  CHECK(statement.id() == 0);
}

TEST_CASE("of many unanswered changes those before are forgotten, never mistaken") {
  UnnamedStatement statement;
  statement.parse(1, "one");
  statement.answered(1);
  std::uint64_t serial = 1;
  for (std::size_t i = 0; i < UnnamedStatement::kMost; ++i) statement.parse(++serial, "more");
  CHECK(statement.id() == serial);
  statement.parse(++serial, "last");
  CHECK(statement.body() == "last");
  statement.passed_over(serial);
  CHECK(statement.id() == 0);
  for (std::uint64_t old = serial; old > 1; --old) statement.passed_over(old);
  CHECK(statement.id() == 0);
}
