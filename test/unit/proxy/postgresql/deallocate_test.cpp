#include "proxy/postgresql/deallocate.hpp"

#include <catch2/catch.hpp>

using namespace ambassador::proxy::postgresql;
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

namespace {

// The client's statements a and b are amb_1 and amb_2 at the server.
std::string renamed(std::string_view sql) {
  const auto server_name = [](const std::string& name) -> std::string_view {
    if (name == "a") return "amb_1";
    if (name == "b") return "amb_2";
    return {};
  };
  return rename_deallocated(sql, Strings::standard, server_name).value_or("as it is");
}

}  // namespace

TEST_CASE("a name that the client has is replaced by the server's, wherever its statement stands") {
  CHECK(renamed("DEALLOCATE a") == "DEALLOCATE \"amb_1\"");
  CHECK(renamed("SAVEPOINT s;DEALLOCATE \"a\";RELEASE s") == "SAVEPOINT s;DEALLOCATE \"amb_1\";RELEASE s");
  CHECK(renamed("deallocate b; DEALLOCATE PREPARE a ;") == "DEALLOCATE \"amb_2\";DEALLOCATE \"amb_1\";");
  CHECK(renamed("DEALLOCATE a; DEALLOCATE other") == "DEALLOCATE \"amb_1\"; DEALLOCATE other");
}

TEST_CASE("other text stays as it is, and what only looks like a statement does too") {
  for (const auto sql :
       {"SELECT 1"sv, "DEALLOCATE other"sv, "SELECT ';DEALLOCATE a;'"sv, "SELECT $$;DEALLOCATE a;$$"sv,
        "SELECT 1 /* ;DEALLOCATE a; */"sv, "SELECT \";DEALLOCATE a;\""sv, "-- ;DEALLOCATE a;"sv,
        "DEALLOCATE ALL"sv, ""sv, ";"sv}) {
    INFO(sql);
    CHECK(renamed(sql) == "as it is");
  }
}

TEST_CASE("whether it may be there is seen without reading all of it") {
  CHECK(may_deallocate("DEALLOCATE a"));
  CHECK(may_deallocate(" \n deallocate \"a\""));
  CHECK(may_deallocate("SAVEPOINT s; Deallocate a"));
  CHECK_FALSE(may_deallocate("SELECT deallocate FROM t"));
  CHECK_FALSE(may_deallocate("deallocat"));
  CHECK_FALSE(may_deallocate(""));
  CHECK_FALSE(may_deallocate(";;"));
}
