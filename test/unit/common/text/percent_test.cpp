#include "common/text/percent.hpp"

#include <catch2/catch.hpp>

using ambassador::text::percent_encode;
using namespace std::string_view_literals;

TEST_CASE("what is unreserved stays, every other byte is encoded") {
  CHECK(percent_encode("AZaz09-._~") == "AZaz09-._~");
  CHECK(percent_encode("a b/c?d=e&f%") == "a%20b%2Fc%3Fd%3De%26f%25");
  CHECK(percent_encode("\0\x7f\xc3\xa9"sv) == "%00%7F%C3%A9");
  CHECK(percent_encode("").empty());
}
