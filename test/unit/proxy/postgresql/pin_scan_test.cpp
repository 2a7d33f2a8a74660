// Which SQL pins a client to its server.
#include <catch2/catch.hpp>
#include <string>

#include "proxy/postgresql/pin_scan.hpp"

using namespace ambassador::proxy::postgresql;

namespace {

constexpr TrackedSet kKnown = 0b111111;

PinSet scan(const std::string& sql, std::size_t piece = 1000, Strings strings = Strings::standard) {
  PinScan scan;
  scan.begin(kKnown, strings);
  for (std::size_t at = 0; at < sql.size(); at += piece) scan.feed(std::string_view(sql).substr(at, piece));
  return scan.end();
}

struct Case {
  const char* sql;
  PinSet pins;
};

const Case kCases[] = {
    {"SELECT 1", 0},
    {"", 0},
    {"LISTEN x", bit(Pin::listen)},
    {"  -- LISTEN x\n select 1", 0},
    {"/* a /* nested */ */ listen x", bit(Pin::listen)},
    {"/* a /* nested */ listen x", 0},
    {"SELECT 'a'; LISTEN x", bit(Pin::listen)},
    {"SELECT 'it''s; LISTEN x'", 0},
    {"SELECT E'\\'; LISTEN x'", 0},
    {"SELECT e'\\\\'; LISTEN x", bit(Pin::listen)},
    {"SELECT $$; LISTEN x; $$", 0},
    {"SELECT $a$ $b$ $$; LISTEN x; $a$; LOAD 'y'", bit(Pin::load)},
    {"SELECT $1; LISTEN x", bit(Pin::listen)},
    {"SELECT \"listen\" FROM \"a;LISTEN\"", 0},
    {"SELECT listen FROM t", 0},
    {"PREPARE p AS SELECT 1", bit(Pin::prepare)},
    {"PREPARE plan(int) AS SELECT 1", bit(Pin::prepare)},
    {"prepare \"P\" as select 1", bit(Pin::prepare)},
    {"PREPARE TRANSACTION 'x'", 0},
    {"CREATE TEMP TABLE t (n int)", bit(Pin::temporary)},
    {"CREATE TEMPORARY VIEW v AS SELECT 1", bit(Pin::temporary)},
    {"CREATE OR REPLACE TEMP VIEW v AS SELECT 1", bit(Pin::temporary)},
    {"CREATE LOCAL TEMPORARY SEQUENCE s", bit(Pin::temporary)},
    {"CREATE TABLE temp (n int)", 0},
    {"CREATE TABLE pg_temp.t (n int)", bit(Pin::temporary)},
    {"SELECT 1 INTO TEMP t", bit(Pin::temporary)},
    {"SELECT 1 INTO t", 0},
    {"INSERT INTO temp VALUES (1)", bit(Pin::temporary)},  // in doubt
    {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", bit(Pin::hold)},
    {"DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1", 0},
    {"DECLARE cur BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT 1", bit(Pin::hold)},
    {"SELECT pg_advisory_lock(1)", bit(Pin::advisory_lock)},
    {"SELECT pg_try_advisory_lock_shared(1)", bit(Pin::advisory_lock)},
    {"SELECT pg_catalog.pg_advisory_lock(1)", bit(Pin::advisory_lock)},
    {"SELECT pg_advisory_xact_lock(1)", 0},
    {"SET work_mem = '1MB'", bit(Pin::set)},
    {"SET SESSION work_mem = '1MB'", bit(Pin::set)},
    {"SET LOCAL work_mem = '1MB'", 0},
    {"SET TimeZone = 'UTC'", 0},
    {"set session timezone to 'UTC'", 0},
    {"SET TIME ZONE 'UTC'", 0},
    {"SET NAMES 'UTF8'", 0},
    {"SET \"application_name\" = 'x'", 0},
    {"SET search_path = x", bit(Pin::set)},  // this server does not report it
    {"SET TRANSACTION READ ONLY", 0},
    {"SET CONSTRAINTS ALL DEFERRED", 0},
    {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", bit(Pin::set)},
    {"SET ROLE x", bit(Pin::set)},
    {"SET a = 1", bit(Pin::set)},
    {"UPDATE t SET work_mem = 1", 0},
    {"SELECT set_config('a', 'b', false)", bit(Pin::set_config)},
    {"BEGIN; SET x.y = 1; LISTEN z; COMMIT", bit(Pin::set) | bit(Pin::listen)},
    {"SELECT currval('s')", bit(Pin::sequence)},
    {"SELECT pg_catalog.lastval()", bit(Pin::sequence)},
    {"CREATE TABLE t (n int DEFAULT currval('s'))", bit(Pin::sequence)},
    {"SELECT nextval('s')", 0},
};

}  // namespace

TEST_CASE("SQL that leaves something in the session pins, other SQL does not") {
  for (const Case& c : kCases) {
    INFO(c.sql);
    CHECK(scan(c.sql) == c.pins);
  }
}

TEST_CASE("it does not matter in which pieces SQL comes") {
  for (const Case& c : kCases) {
    for (const std::size_t piece : {1U, 2U, 3U, 5U}) {
      INFO(c.sql << " in pieces of " << piece);
      CHECK(scan(c.sql, piece) == c.pins);
    }
  }
}

TEST_CASE("a backslash in a string is what standard_conforming_strings says") {
  const std::string sql = R"(SELECT '\'; LISTEN x; SELECT ')";
  CHECK(scan(sql) == bit(Pin::listen));
  CHECK(scan(sql, 1000, Strings::escaped) == 0);
  CHECK(scan(R"(SELECT '\''; LISTEN x; --')", 1000, Strings::escaped) == bit(Pin::listen));
}

TEST_CASE("what goes back to the values of the server's session is known") {
  const auto resets = [](const std::string& sql) {
    PinScan scan;
    scan.begin(kKnown);
    scan.feed(sql);
    (void)scan.end();
    return scan.resets();
  };
  const TrackedSet date_style = tracked(find_tracked("DateStyle").value());
  const TrackedSet time_zone = tracked(find_tracked("TimeZone").value());
  const TrackedSet encoding = tracked(find_tracked("client_encoding").value());
  CHECK(resets("RESET datestyle") == date_style);
  CHECK(resets("reset \"DateStyle\"; RESET TIME ZONE") == (date_style | time_zone));
  CHECK(resets("RESET ALL") == kKnown);
  CHECK(resets("DISCARD ALL") == kKnown);
  CHECK(resets("SET DateStyle TO DEFAULT; SET work_mem = DEFAULT") == date_style);
  CHECK(resets("SET SESSION datestyle = default") == date_style);
  CHECK(resets("SET TIME ZONE LOCAL") == time_zone);
  CHECK(resets("SET NAMES DEFAULT") == encoding);
  CHECK(resets("SET datestyle = 'DEFAULT'") == 0);
  CHECK(resets("SET LOCAL datestyle TO DEFAULT") == 0);
  CHECK(resets("RESET search_path") == 0);  // this server does not report it
  CHECK(resets("DISCARD PLANS") == 0);
  CHECK(resets("SELECT 'RESET ALL' AS reset, all_of FROM t") == 0);
  CHECK(resets("RESET ALL; COPY t FROM STDIN") == 0);
}

TEST_CASE("UNLISTEN with a star ends all, with a name one") {
  PinScan scan;
  scan.begin(kKnown);
  scan.feed("UNLISTEN *");
  CHECK(scan.end() == 0);
  CHECK(scan.unlistens_all());
  scan.begin(kKnown);
  scan.feed("UNLISTEN x; SELECT 2 * 3");
  CHECK(scan.end() == 0);
  CHECK_FALSE(scan.unlistens_all());
}
