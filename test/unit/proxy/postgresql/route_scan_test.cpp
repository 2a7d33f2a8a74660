// Which SQL a replica may run.
#include <catch2/catch.hpp>
#include <string>

#include "proxy/postgresql/route_scan.hpp"

using namespace ambassador::proxy::postgresql;

namespace {

Route scan(const std::string& sql, std::size_t piece = 1000, Strings strings = Strings::standard) {
  RouteScan scan;
  scan.begin(strings);
  for (std::size_t at = 0; at < sql.size(); at += piece) scan.feed(std::string_view(sql).substr(at, piece));
  return scan.end();
}

const char* const kReads[] = {
    "SELECT 1",
    "select * from t where a = $1",
    "  -- a comment\n /* another */ SELECT 1 ;",
    "SELECT 1; SELECT 2;",
    "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
    "((SELECT 1))",
    "TABLE t",
    "VALUES (1, 'a'), (2, 'b')",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    "WITH RECURSIVE x(a, b) AS (SELECT 1, 2), y(c) AS MATERIALIZED (SELECT 3), z AS NOT MATERIALIZED "
    "(SELECT 4) SELECT * FROM x, y, z",
    "SELECT (WITH x(a) AS (SELECT 1) SELECT a FROM x)",
    "SELECT count(*), sum(a) FILTER (WHERE a > 0) OVER (PARTITION BY (b) ORDER BY (c)) FROM t",
    "SELECT pg_catalog.lower(a), \"lower\"(b), pg_catalog . \"upper\" (c) FROM t",
    "SELECT now(), random(), clock_timestamp(), gen_random_uuid()",
    "SELECT coalesce(a, 1), cast(b AS numeric(10, 2)), c::varchar(5), d::character varying(9) FROM t",
    "SELECT extract(year FROM a), substring(b FROM 1 FOR 2), trim(both ' ' FROM c), a AT TIME ZONE 'UTC' "
    "FROM t",
    "SELECT * FROM a JOIN (SELECT 1) AS b ON (true) LEFT JOIN (SELECT 2) c USING (id) CROSS JOIN LATERAL "
    "(SELECT 3) d",
    "SELECT * FROM (VALUES (1, 2)) v(a, b), unnest('{1}'::int[]) AS u(x), generate_series(1, 3) s(y)",
    "SELECT a FROM t WHERE b IN (1, 2) AND NOT (c) AND EXISTS (SELECT 1) AND d = ANY (ARRAY[1]) GROUP BY "
    "GROUPING "
    "SETS ((a), ()) HAVING (true) LIMIT (1) OFFSET (2)",
    "SELECT a FROM t GROUP BY ROLLUP (a)",
    "SELECT 'INSERT INTO t', \"insert into\", $$ nextval('x') $$, E'\\' FOR UPDATE' FROM t",
    "SELECT t.update, t.delete FROM t",
    "SELECT relname FROM pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace",
    "SELECT a, rank() OVER w FROM t WINDOW w AS (ORDER BY a)",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
    "SELECT DISTINCT ON (a) b FROM t",
    "SELECT * FROM t TABLESAMPLE system (10)",
    "SELECT a FROM t FETCH FIRST 2 ROWS WITH TIES",
    "SELECT a ILIKE (b), a LIKE (b) FROM t",
    "SELECT information_schema.tables.table_name FROM information_schema.tables",
    "SELECT currval FROM t",
    "SELECT E'a'\n'b\\' FOR UPDATE'",
};

const char* const kWrites[] = {
    "",
    " ; -- nothing",
    "SELECT 1; .",
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
    "SELECT 1; DELETE FROM t",
    "SELECT 1 INTO t",
    "SELECT 1 /**/ INTO/**/t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR -- x\n NO KEY UPDATE",
    "SELECT * FROM t FOR SHARE NOWAIT",
    "SELECT * FROM t FOR KEY SHARE",
    "SELECT * FROM (SELECT * FROM t FOR UPDATE) x",
    "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
    "SELECT nextval('s')",
    "SELECT nextval ('s')",
    "SELECT nextval/* */--\n('s')",
    "SELECT \"nextval\"('s')",
    "SELECT pg_catalog.nextval('s')",
    "SELECT U&\"nextv\\0061l\"('s')",
    "SELECT U&\"lo!0077er\" UESCAPE '!' ('s')",
    "SELECT ('s'::regclass).nextval",
    "SELECT t.nextval FROM CAST('s' AS regclass) t",
    "SELECT t.\"nextval\" FROM CAST('s' AS regclass) t",
    "SELECT TREAT('s' AS nextval)",
    "SELECT setval('s', 1), lo_create(0), pg_advisory_lock(1), txid_current()",
    "SELECT * FROM nextval('s')",
    "SELECT DISTINCT ON (a) nextval('s') FROM t",
    "SELECT DISTINCT ON ((a)) nextval('s') FROM t",
    "WITH x AS (SELECT 1) (SELECT 1) ORDER BY nextval('s')",
    "WITH x AS (SELECT 1) (SELECT 1) LIMIT nextval('s')",
    "SELECT a OPERATOR(s.+) f(b) FROM t",
    "SELECT * FROM XMLTABLE('x' PASSING y COLUMNS a text PATH f('s'))",
    "SELECT f(a) FROM t",
    "SELECT s.lower(a) FROM t",
    "SELECT \"Lower\"(a) FROM t",
    "SELECT \"a\"\"lower\"(a) FROM t",
    "SELECT a.pg_catalog.lower(b)",
    "SELECT pg_catalog.x.lower(b)",
    "SELECT (pg_catalog).lower(b)",
    "SELECT join(a)",
    "SELECT over(a)",
    "SELECT rollup(a)",
    "SELECT by(a)",
    "SELECT NOT materialized(a)",
    "SELECT set_config('a', 'b', false)",
    "SELECT query_to_xml('delete from t', true, true, '')",
    "SELECT * FROM dblink('x', 'y')",
    "SELECT * FROM pg_stat_activity",
    "SELECT pg_is_in_recovery()",
    "SELECT * FROM pg_temp.t",
    "SELECT E'\\'' , nextval('s') --'",
    "SELECT E'a'\n'b\\'', nextval('s') --'",
    "SELECT 'a",
    "SELECT (1",
    "SELECT 1)",
    "SELECT /* 1",
    "\"select\" 1",
    "SHOW transaction_read_only",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
    "COPY t FROM STDIN",
    "COPY (SELECT 1) TO STDOUT",
    "EXECUTE p",
    "PREPARE p AS SELECT 1",
    "DECLARE c CURSOR FOR SELECT 1",
    "FETCH c",
    "DO $$ begin end $$",
    "CALL p()",
    "SET a = 1",
    "LISTEN x",
    "LOCK t",
    "CREATE TEMP TABLE t AS SELECT 1",
    "REFRESH MATERIALIZED VIEW v",
    "VACUUM",
    "BEGIN",
    "BEGIN READ WRITE",
    "BEGIN READ ONLY, READ WRITE",
    "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY",
    "START TRANSACTION",
    "SET TRANSACTION READ ONLY",
    "BEGIN READ ONLY; DELETE FROM t",
    "BEGIN READ ONLY; COMMIT; DELETE FROM t",
    "SELECT 1; BEGIN READ ONLY",
    "BEGIN READ ONLY; BEGIN",
    "COMMIT",
    "ROLLBACK",
};

const char* const kReadOnlyTransactions[] = {
    "BEGIN READ ONLY",
    "begin transaction read only;",
    "BEGIN WORK ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "START TRANSACTION READ /* */ ONLY",
    "START TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY NOT DEFERRABLE",
    "BEGIN READ ONLY; SELECT 1",
};

}  // namespace

TEST_CASE("reads may be run on a replica") {
  for (const char* sql : kReads) {
    INFO(sql);
    CHECK(scan(sql) == Route::replica);
  }
}

TEST_CASE("what may write, or can't be told, is the primary's") {
  for (const char* sql : kWrites) {
    INFO(sql);
    CHECK(scan(sql) == Route::primary);
  }
}

TEST_CASE("a transaction that begins as READ ONLY may be run on a replica") {
  for (const char* sql : kReadOnlyTransactions) {
    INFO(sql);
    CHECK(scan(sql) == Route::replica_transaction);
  }
}

TEST_CASE("a write among reads makes all of it the primary's") {
  for (const char* read : kReads) {
    INFO(read);
    CHECK(scan(std::string(read) + "\n; SELECT nextval('s')") == Route::primary);
    CHECK(scan(std::string("SELECT 1; ") + read + "\n; SELECT 2") == Route::replica);
  }
}

TEST_CASE("the route does not depend on the pieces in which SQL comes") {
  for (const std::size_t piece : {1U, 2U, 3U, 5U}) {
    for (const char* sql : kReads) CHECK(scan(sql, piece) == Route::replica);
    for (const char* sql : kWrites) CHECK(scan(sql, piece) == Route::primary);
    for (const char* sql : kReadOnlyTransactions) CHECK(scan(sql, piece) == Route::replica_transaction);
  }
}

TEST_CASE("a string ends where standard_conforming_strings says") {
  const std::string sql = R"(SELECT '\', nextval('s') --')";
  CHECK(scan(sql) == Route::primary);
  CHECK(scan(R"(SELECT '\'', nextval(''s'') --')") == Route::replica);
  CHECK(scan(R"(SELECT '\'', nextval(''s'') --')", 1000, Strings::escaped) == Route::primary);
}
