#include "proxy/net/pieces.hpp"

#include <catch2/catch.hpp>

using ambassador::proxy::net::Pieces;

TEST_CASE("a message is whole with its last piece; one that is too long is empty, and spoils no other") {
  Pieces pieces;
  CHECK(pieces.add("abc", true, 4));
  CHECK(pieces.text() == "abc");
  CHECK_FALSE(pieces.add("ab", false, 4));
  CHECK_FALSE(pieces.add("", false, 4));
  CHECK(pieces.add("cd", true, 4));
  CHECK(pieces.text() == "abcd");
  CHECK(pieces.add("", true, 4));
  CHECK(pieces.text().empty());
  CHECK(pieces.add("abcde", true, 4));
  CHECK(pieces.text().empty());
  CHECK_FALSE(pieces.add("abc", false, 4));
  CHECK_FALSE(pieces.add("de", false, 4));
  CHECK(pieces.add("f", true, 4));
  CHECK(pieces.text().empty());
  CHECK_FALSE(pieces.add("x", false, 4));
  CHECK(pieces.add("y", true, 4));
  CHECK(pieces.text() == "xy");
}
