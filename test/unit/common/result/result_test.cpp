#include "common/result/result.hpp"

#include <catch2/catch.hpp>

using ambassador::Error;
using ambassador::Result;

TEST_CASE("a result holds a value or an error that names the place") {
  const Result<int> good = 3;
  const Result<int> bad = Error{"listeners[0].port", "0 is not a port"};
  CHECK(good.ok());
  CHECK(*good == 3);
  CHECK_FALSE(bad.ok());
  CHECK(bad.error().text() == "listeners[0].port: 0 is not a port");
}

TEST_CASE("an error without a place is its text alone") {
  CHECK(Error{"", "no"}.text() == "no");
}
