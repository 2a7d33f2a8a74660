#include "common/text/utf8.hpp"

#include <catch2/catch.hpp>
#include <string_view>

using ambassador::text::character_bytes;
using ambassador::text::utf8_bytes;
using namespace std::string_view_literals;

TEST_CASE("characters of one to four bytes") {
  CHECK(character_bytes("a\xff") == 1);
  CHECK(character_bytes("\0"sv) == 1);
  CHECK(character_bytes("\xc2\x80") == 2);
  CHECK(character_bytes("\xe0\xa0\x80") == 3);
  CHECK(character_bytes("\xed\x9f\xbf") == 3);
  CHECK(character_bytes("\xf0\x90\x80\x80") == 4);
  CHECK(character_bytes("\xf4\x8f\xbf\xbf") == 4);
}

TEST_CASE("what is no character") {
  for (const auto bytes : {""sv, "\x80"sv, "\xff"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv,
                           "\xf0\x8f\xbf\xbf"sv,                        // longer than need be
                           "\xed\xa0\x80"sv,                            // a surrogate
                           "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv,  // above U+10FFFF
                           "\xc2"sv, "\xe2\x82"sv, "\xf0\x90\x80"sv,    // cut
                           "\xc2\x41"sv, "\xe2\x82\x41"sv}) {
    CAPTURE(bytes);
    CHECK(character_bytes(bytes) == 0);
  }
}

TEST_CASE("a text is UTF-8 up to its first wrong byte") {
  CHECK(utf8_bytes("") == 0);
  CHECK(utf8_bytes("sch\xc3\xb6n") == 6);
  CHECK(utf8_bytes("sch\xf6n") == 3);
}
