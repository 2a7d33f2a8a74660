// What a policy says of PostgreSQL: read, defaulted, refused.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/api/hash.hpp"
#include "operator/api/parse.hpp"
#include "operator/api/spelling.hpp"
#include "policies.hpp"

using namespace ambassador;
using namespace ambassador::api;
using nlohmann::json;

namespace {

Listener read(const json& changes) {
  const auto parsed = parse_policy(database_policy(changes));
  INFO(parsed.message());
  REQUIRE(parsed.policy.has_value());
  return parsed.policy->listeners[1];
}

}  // namespace

TEST_CASE("a PostgreSQL listener is read as it stands") {
  const Listener db = read(json::object());
  CHECK(db.protocol == config::Protocol::postgresql);
  CHECK(db.env.jdbc_url == "JDBC_URL");
  CHECK(db.max_clients == 1000);
  CHECK(db.credentials == "shop-db");
  CHECK(db.sql == Sql{"shop", 5, config::Authentication::proxy, config::Pooling::transaction});
  CHECK(db.tls == ServerTls{config::TlsMode::verify_full, SecretKey{"shop-db", "ca.crt"}});
}

TEST_CASE("a PostgreSQL listener without further words passes logins on, session by session, in the clear") {
  const Listener db = read(json::parse(
      R"({"credentials": null, "tls": null, "database": null, "pool": null, "postgresql": null})"));
  CHECK(db.sql == Sql{});
  CHECK(db.sql.authentication == config::Authentication::passthrough);
  CHECK(db.sql.pooling == config::Pooling::session);
  CHECK(db.sql.max_server_connections == 10);
  CHECK(db.tls == ServerTls{});
}

TEST_CASE("clients may have to log in, and may ask for TLS") {
  const Listener db = read(json::parse(R"({"listenerTLS": {"secretRef": {"name": "own"}},
      "clientAuth": {"mode": "Password", "secretRef": {"name": "clients"}}})"));
  CHECK(db.own_tls == "own");
  CHECK(db.client_credentials == "clients");
  CHECK(read(json::parse(R"({"clientAuth": {"mode": "None"}})")).client_credentials.empty());
  CHECK(read(json::parse(R"({"clientAuth": {}})")).client_credentials.empty());
}

TEST_CASE("where there are credentials the ambassador logs in, unless the policy says otherwise") {
  CHECK(read(json::parse(R"({"postgresql": null})")).sql.authentication == config::Authentication::proxy);
  // With Passthrough the credentials are the certificate alone.
  CHECK(read(json::parse(R"({"postgresql": {"authentication": "Passthrough", "pooling": "Session"}})"))
            .sql.authentication == config::Authentication::passthrough);
}

TEST_CASE("tls without a mode checks everything") {
  const Listener db = read(json::parse(R"({"tls": {"mode": null, "ca": null}})"));
  CHECK(db.tls == ServerTls{config::TlsMode::verify_full, std::nullopt});
  for (const char* mode : {"Disabled", "Require", "VerifyCA", "VerifyFull"}) {
    CHECK(print(kTlsModes, read({{"tls", {{"mode", mode}, {"ca", nullptr}}}}).tls.mode) == mode);
  }
}

TEST_CASE("what is wrong about a PostgreSQL listener is named with field, value and way out") {
  struct Row {
    const char* changes;
    const char* path;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"credentials": {"secretRef": {"namespace": "data"}}})", "credentials.secretRef.namespace",
       "\"data\" is not allowed, because credentials come from the Pod's own namespace: remove it, and copy "
       "the Secret there"},
      {R"({"credentials": {"secretRef": {"name": "Shop DB"}}})", "credentials.secretRef.name",
       "\"Shop DB\" is no name of a Secret"},
      {R"({"credentials": {"secretRef": {"name": ""}}})", "credentials.secretRef.name",
       "is no name of a Secret"},
      {R"({"credentials": {"secretRef": {"name": null}}})", "credentials.secretRef.name",
       "is missing: give the Secret's name"},
      {R"({"credentials": {"secretRef": null}})", "credentials.secretRef", "is missing"},
      {R"({"credentials": {"secretRef": {"key": "a"}}})", "credentials.secretRef.key", "is no field here"},
      {R"({"credentials": {"username": "shop"}})", "credentials.username", "is no field here"},
      {R"({"credentials": null})", "postgresql.authentication",
       "\"Proxy\" needs credentials to log in with: give credentials.secretRef, or use Passthrough"},
      {R"({"postgresql": {"authentication": "Passthrough"}})", "postgresql.pooling",
       "\"Transaction\" needs authentication Proxy and credentials"},
      {R"({"credentials": null, "postgresql": {"authentication": null}})", "postgresql.pooling",
       "\"Transaction\" needs authentication Proxy and credentials"},
      {R"({"tls": null, "postgresql": {"authentication": "Passthrough", "pooling": "Session"}})",
       "credentials", "are not used with Passthrough and without tls: remove them"},
      {R"({"postgresql": {"authentication": "Trust"}})", "postgresql.authentication",
       "\"Trust\" is not one of Proxy, Passthrough"},
      {R"({"postgresql": {"pooling": "Statement"}})", "postgresql.pooling",
       "\"Statement\" is not one of Session, Transaction"},
      {R"({"tls": {"mode": "Prefer"}})", "tls.mode",
       "\"Prefer\" is not one of Disabled, Require, VerifyCA, VerifyFull"},
      {R"({"tls": {"mode": "Require"}})", "tls.ca",
       "is not looked at in mode Require: use VerifyFull or VerifyCA, or remove it"},
      {R"({"tls": {"ca": {"secretRef": {"key": null}}}})", "tls.ca.secretRef.key",
       "is missing: give the key within the Secret, such as ca.crt"},
      {R"({"tls": {"ca": {"secretRef": {"key": "a/b"}}}})", "tls.ca.secretRef.key", "is no key of a Secret"},
      {R"({"tls": {"ca": {"secretRef": {"namespace": "data"}}}})", "tls.ca.secretRef.namespace",
       "is not allowed"},
      {R"({"database": "a\nb"})", "database", "holds control characters: remove them"},
      {R"({"database": "0123456789012345678901234567890123456789012345678901234567890123"})", "database",
       "is too long: give at most 63 bytes"},
      {R"({"pool": {"maxServerConnections": 0}})", "pool.maxServerConnections",
       "0 is out of range: give a whole number, 1 to 10000"},
      {R"({"clientAuth": {"mode": "Password"}})", "clientAuth.secretRef",
       "is missing, and mode Password needs it: name the Secret with username and password"},
      {R"({"clientAuth": {"mode": "None", "secretRef": {"name": "s"}}})", "clientAuth.secretRef",
       "is for mode Password: give that, or remove it"},
      {R"({"clientAuth": {"mode": "Trust"}})", "clientAuth.mode", "\"Trust\" is not one of None, Password"},
      {R"({"clientAuth": {"mode": "Password", "secretRef": {"name": "s"}},
           "postgresql": {"authentication": "Passthrough", "pooling": "Session"}})",
       "clientAuth.mode", "\"Password\" needs authentication Proxy and credentials"},
      {R"({"listenerTLS": {}})", "listenerTLS.secretRef", "is missing"},
      {R"({"listenerTLS": {"secretRef": {"name": "s", "namespace": "data"}}})",
       "listenerTLS.secretRef.namespace", "is not allowed"},
      {R"({"redis": {}})", "redis", "is for protocol Redis: remove it"},
      {R"({"mysql": {}})", "mysql", "is for protocol MySQL: remove it"},
      {R"({"env": {"jdbcUrl": "DATABASE_URL"}})", "env.jdbcUrl", "is named twice here"},
  }));
  const auto parsed = parse_policy(database_policy(json::parse(row.changes)));
  INFO(row.changes << "\n" << parsed.message());
  REQUIRE(parsed.problems.size() == 1);
  CHECK(parsed.reason() == "Invalid");
  CHECK(parsed.problems[0].path == "spec.listeners[1]." + std::string(row.path));
  CHECK_THAT(parsed.problems[0].what, Catch::Contains(row.says));
}

TEST_CASE("what belongs to PostgreSQL is refused elsewhere") {
  json document = good_policy();
  document["spec"]["listeners"][1]["postgresql"] = json::object();
  const auto parsed = parse_policy(document);
  CHECK(parsed.message() == "spec.listeners[1].postgresql: is for protocol PostgreSQL: remove it");
}

TEST_CASE("a PostgreSQL socket has the name that libpq looks for, in a folder of the listener") {
  const Listener db = read(json::object());
  CHECK(socket_path({"shop", "shop-data"}, db, db.port) == "/run/ambassador/shop-data/db.sock/.s.PGSQL.5432");
  json document = database_policy(json::object());
  document["metadata"]["name"] = std::string(60, 'p');
  document["spec"]["listeners"][1]["name"] = std::string(25, 'l');
  CHECK_THAT(parse_policy(document).message(), Catch::Contains("spec.listeners[1].unixSocket") &&
                                                   Catch::Contains(".s.PGSQL.5432 is longer than"));
}

TEST_CASE("the hash of a policy follows what it says of PostgreSQL, and no spelled-out default") {
  const auto hash = [](const json& changes) { return parse_policy(database_policy(changes)).policy->hash; };
  const auto first = hash(json::object());
  CHECK(hash(json::parse(R"({"postgresql": {"readWriteSplit": null}})")) == first);
  for (const char* changes :
       {R"({"credentials": {"secretRef": {"name": "other"}}})", R"({"tls": {"mode": "VerifyCA"}})",
        R"({"tls": {"ca": {"secretRef": {"key": "other"}}}})", R"({"database": "other"})",
        R"({"pool": {"maxServerConnections": 6}})", R"({"postgresql": {"pooling": "Session"}})"}) {
    INFO(changes);
    CHECK(hash(json::parse(changes)) != first);
  }
}

TEST_CASE("a connection budget needs a listener with a pool") {
  json document = database_policy();
  document["spec"]["connectionBudget"] = 200;
  const auto parsed = parse_policy(document);
  INFO(parsed.message());
  REQUIRE(parsed.policy.has_value());
  CHECK(parsed.policy->connection_budget == 200U);

  document["spec"]["listeners"].erase(1);
  const auto refused = parse_policy(document);
  REQUIRE(refused.problems.size() == 1);
  CHECK(refused.problems[0].path == "spec.connectionBudget");
  CHECK_THAT(refused.problems[0].what, Catch::Contains("give a listener with protocol PostgreSQL"));
}
