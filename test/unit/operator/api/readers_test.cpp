// What a policy says of reads from PostgreSQL's replicas: read, defaulted, refused.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/api/hash.hpp"
#include "operator/api/parse.hpp"
#include "policies.hpp"

using namespace ambassador;
using namespace ambassador::api;
using namespace std::chrono_literals;
using config::ReadWriteSplit;
using nlohmann::json;

namespace {

Policy read(const json& document) {
  const auto parsed = parse_policy(document);
  INFO(parsed.message());
  REQUIRE(parsed.policy.has_value());
  return *parsed.policy;
}

Listener database(const char* postgresql) {
  return read(database_policy({{"postgresql", json::parse(postgresql)}})).listeners[1];
}

}  // namespace

TEST_CASE("nobody reads from replicas unless the policy says so") {
  const Listener db = database("{}");
  CHECK(db.sql.read_write_split == ReadWriteSplit::disabled);
  CHECK(db.sql.read_port == 0);
  CHECK(ports(db) == std::vector<std::uint16_t>{5432});
}

TEST_CASE("the split, its lag and what it is held to are read as they stand") {
  Listener db = database(R"({"readWriteSplit": "Statements", "maxLag": "1m30s", "causalReads": "Disabled"})");
  CHECK(db.sql.read_write_split == ReadWriteSplit::statements);
  CHECK(db.sql.max_lag == 90s);
  CHECK_FALSE(db.sql.causal_reads);
  db = database(R"({"readWriteSplit": "ReadOnlyTransactions"})");
  CHECK(db.sql.read_write_split == ReadWriteSplit::read_only_transactions);
  CHECK(db.sql.max_lag == 10s);
  CHECK(db.sql.causal_reads);
}

TEST_CASE("readers have a port, a name and variables of their own") {
  const Listener db =
      read(database_policy(json::parse(R"({"postgresql": {"readPort": 5433, "maxLag": "500ms"},
        "env": {"readUrl": "READ_URL", "readJdbcUrl": "READ_JDBC_URL", "readPort": "READ_PORT"}})")))
          .listeners[1];
  CHECK(ports(db) == std::vector<std::uint16_t>{5432, 5433});
  CHECK(readers_name(db) == "db-read");
  CHECK(db.sql.max_lag == 500ms);
  CHECK(socket_path({"shop", "shop-data"}, db, 5433) == "/run/ambassador/shop-data/db.sock/.s.PGSQL.5433");
  CHECK(db.env.read_url == "READ_URL");
  CHECK(db.env.read_jdbc_url == "READ_JDBC_URL");
  CHECK(db.env.read_port == "READ_PORT");
}

TEST_CASE("what the API server adds by default changes nothing without a split") {
  const auto hash = [](const char* block) {
    return read(database_policy({{"postgresql", json::parse(block)}})).hash;
  };
  const auto first = hash(R"({"pooling": "Transaction"})");
  CHECK(hash(R"({"readWriteSplit": "Disabled", "causalReads": "Enabled"})") == first);
  CHECK(hash(R"({"causalReads": "Disabled"})") == first);
  for (const char* other : {R"({"readWriteSplit": "Statements"})", R"({"readPort": 5433})",
                            R"({"readWriteSplit": "ReadOnlyTransactions"})"}) {
    INFO(other);
    CHECK(hash(other) != first);
  }
  const auto split = hash(R"({"readWriteSplit": "Statements"})");
  CHECK(hash(R"({"readWriteSplit": "Statements", "maxLag": "10s"})") == split);
  CHECK(hash(R"({"readWriteSplit": "Statements", "maxLag": "9s"})") != split);
  CHECK(hash(R"({"readWriteSplit": "Statements", "causalReads": "Disabled"})") != split);
  json named = database_policy(json::parse(R"({"postgresql": {"readPort": 5433}})"));
  const auto before = read(named).hash;
  named["spec"]["listeners"][1]["env"]["readUrl"] = "READ_URL";
  CHECK(read(named).hash != before);
}

TEST_CASE("what is wrong about readers is named with field, value and way out") {
  struct Row {
    const char* changes;
    const char* path;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"postgresql": {"readWriteSplit": "All"}})", "postgresql.readWriteSplit",
       "\"All\" is not one of Disabled, ReadOnlyTransactions, Statements"},
      {R"({"postgresql": {"readWriteSplit": "Statements", "pooling": "Session"}})",
       "postgresql.readWriteSplit",
       "\"Statements\" needs authentication Proxy, credentials and pooling Transaction: give them, or use "
       "Disabled"},
      {R"({"postgresql": {"readWriteSplit": "ReadOnlyTransactions", "pooling": null}})",
       "postgresql.readWriteSplit", "\"ReadOnlyTransactions\" needs authentication Proxy"},
      {R"({"postgresql":
           {"readWriteSplit": "Statements", "pooling": "Session", "authentication": "Passthrough"}})",
       "postgresql.readWriteSplit", "\"Statements\" needs authentication Proxy"},
      {R"({"postgresql": {"readPort": 5433, "pooling": "Session"}})", "postgresql.readPort",
       "5433 needs authentication Proxy, credentials and pooling Transaction: give them, or remove it"},
      {R"({"postgresql": {"readPort": 5432}})", "postgresql.readPort",
       "5432 is the listener's own port: give readers another one"},
      {R"({"postgresql": {"readPort": 19900}})", "postgresql.readPort",
       "19900 is the ambassador's own (19900 admin, 19901 health): take another"},
      {R"({"postgresql": {"readPort": 80}})", "postgresql.readPort", "80 is out of range"},
      {R"({"postgresql": {"readPort": 6380}})", "postgresql.readPort",
       "6380 is also the port of listener \"cache\": give one of them another port"},
      {R"({"postgresql": {"readPort": 5433}, "name": "db", "upstreams":
           [{"hosts": [{"host": "localhost", "port": 5433}]}]})",
       "upstreams[0].hosts[0].port", "5433 on loopback is this very listener: name the server behind it"},
      {R"({"postgresql": {"maxLag": "1s"}})", "postgresql.maxLag",
       "\"1s\" is of replicas, and nobody reads from them: give readPort or readWriteSplit, or remove it"},
      {R"({"postgresql": {"readPort": 5433, "maxLag": "10ms"}})", "postgresql.maxLag", "\"10ms\""},
      {R"({"postgresql": {"readPort": 5433, "maxLag": "169h"}})", "postgresql.maxLag", "\"169h\""},
      {R"({"postgresql": {"readWriteSplit": "Statements", "causalReads": "Sometimes"}})",
       "postgresql.causalReads", "\"Sometimes\" is not one of Enabled, Disabled"},
      {R"({"env": {"readUrl": "READ_URL"}})", "env.readUrl",
       "\"READ_URL\" is for postgresql.readPort, which is not given: give it, or remove this"},
      {R"({"postgresql": {"readPort": 5433}, "env": {"readUrl": "DATABASE_URL"}})", "env.readUrl",
       "is named twice here"},
  }));
  const auto parsed = parse_policy(database_policy(json::parse(row.changes)));
  INFO(row.changes << "\n" << parsed.message());
  REQUIRE(parsed.problems.size() == 1);
  CHECK(parsed.reason() == "Invalid");
  CHECK(parsed.problems[0].path == "spec.listeners[1]." + std::string(row.path));
  CHECK_THAT(parsed.problems[0].what, Catch::Contains(row.says));
}

TEST_CASE("no listener has the port or the name of another one's readers") {
  json document = database_policy(json::parse(R"({"postgresql": {"readPort": 5433}})"));
  json other = document["spec"]["listeners"][1];
  other.erase("env");
  other["name"] = "db-read";
  other["port"] = 5434;
  other["postgresql"].erase("readPort");
  document["spec"]["listeners"].push_back(other);
  CHECK(
      parse_policy(document).message() ==
      "spec.listeners[2].name: \"db-read\" and \"db\" can't be together, because readPort makes the listener "
      "\"db-read\" in metrics and logs: rename one of them");
  std::swap(document["spec"]["listeners"][1], document["spec"]["listeners"][2]);
  CHECK_THAT(parse_policy(document).message(),
             Catch::Contains("spec.listeners[2].name: \"db\" and \"db-read\""));
  document["spec"]["listeners"][1]["name"] = "reports";
  CHECK(parse_policy(document).problems.empty());
  document["spec"]["listeners"][1]["port"] = 5433;
  CHECK(parse_policy(document).message() ==
        "spec.listeners[2].postgresql.readPort: 5433 is also the port of listener \"reports\": give one of "
        "them another port");
}

TEST_CASE("variables of readers are PostgreSQL's") {
  json document = database_policy();
  document["spec"]["listeners"][0]["env"]["readUrl"] = "READ_URL";
  CHECK(parse_policy(document).message() ==
        "spec.listeners[0].env.readUrl: \"READ_URL\" is for PostgreSQL: remove it");
}

TEST_CASE("the socket of readers must fit an address too") {
  json document = database_policy(json::parse(R"({"postgresql": {"readPort": 15433}})"));
  document["metadata"]["name"] = std::string(52, 'p');
  document["spec"]["listeners"][1]["name"] = std::string(19, 'l');
  CHECK_THAT(parse_policy(document).message(), Catch::Contains("spec.listeners[1].unixSocket") &&
                                                   Catch::Contains(".s.PGSQL.15433 is longer than"));
  document["spec"]["listeners"][1]["postgresql"].erase("readPort");
  CHECK(parse_policy(document).problems.empty());
}
