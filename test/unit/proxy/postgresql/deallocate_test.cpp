#include "proxy/postgresql/deallocate.hpp"

#include <catch2/catch.hpp>

using ambassador::proxy::postgresql::deallocated;
using namespace std::literals;

TEST_CASE("DEALLOCATE of one statement is known by its name, as PostgreSQL reads names") {
  CHECK(deallocated("DEALLOCATE s1") == "s1");
  CHECK(deallocated("deallocate prepare S1") == "s1");
  CHECK(deallocated(" \n\tDeallocate \"_pg3_0\" ; ") == "_pg3_0");
  CHECK(deallocated("DEALLOCATE\"Two \"\"words\"\"\"") == "Two \"words\"");
  CHECK(deallocated("DEALLOCATE \"all\"") == "all");
  CHECK(deallocated("DEALLOCATE PREPARE \"prepare\"") == "prepare");
  CHECK(deallocated("DEALLOCATE a$1") == "a$1");
}

TEST_CASE("what is more than DEALLOCATE of one statement, or may be, is left to the server") {
  for (const auto sql :
       {""sv, "DEALLOCATE"sv, "DEALLOCATE ALL"sv, "DEALLOCATE PREPARE ALL"sv, "DEALLOCATE ;"sv,
        "DEALLOCATE \"\""sv, "DEALLOCATE \"open"sv, "DEALLOCATE 1a"sv, "DEALLOCATE $1"sv,
        "DEALLOCATE a; SELECT 1"sv, "DEALLOCATE a b"sv, "DEALLOCATE a -- b"sv, "/* */ DEALLOCATE a"sv,
        "DEALLOCATE PREPARE"sv, "DEALLOCATEa"sv, "DISCARD a"sv, "DEALLOCATE \xc3\xbc"sv,
        "DEALLOCATE U&\"a\""sv, "DEALLOCATE a;;"sv}) {
    INFO(sql);
    CHECK_FALSE(deallocated(sql));
  }
  CHECK_FALSE(deallocated("DEALLOCATE " + std::string(64, 'x')));
}
