// Logging in at a real PostgreSQL 15, and what becomes of the connection between its clients.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/server.hpp"
#include "proxy/postgresql/write.hpp"
#include "test/component/proxy/postgresql/connection.hpp"
#include "test/component/proxy/postgresql/postgresql_server.hpp"

using namespace ambassador::proxy;
using namespace ambassador::proxy::postgresql;
using Kind = Step::Kind;

namespace {

// One server for all cases: starting it takes seconds.
PostgresqlServer15& database() {
  static const auto server = [] {
    auto made = std::make_unique<PostgresqlServer15>(
        "host all trusted 127.0.0.1/32 trust\n"
        "host all digest 127.0.0.1/32 md5\n"
        "host all scram 127.0.0.1/32 scram-sha-256\n"
        "host all umlaut 127.0.0.1/32 scram-sha-256\n"
        "host all limited 127.0.0.1/32 trust\n"
        "host all clear 127.0.0.1/32 password\n");
    REQUIRE(
        made->sql("create role trusted login; create role limited login connection limit 1;"
                  "create role clear login password 'open';"
                  "set password_encryption = 'md5'; create role digest login password 'secret';"
                  "set password_encryption = 'scram-sha-256'; create role scram login password 'pencil';"
                  "create role umlaut login password 'p\u00e4ss w\u00f6rd'"));
    return made;
  }();
  return *server;
}

LoginPlan plan(const std::string& user, const std::string& password = "",
               const std::string& name = "postgres") {
  return {.credentials = std::make_shared<Credentials>(user, password),
          .parameters = {{"database", name}, {"application_name", "ambassador"}},
          .nonce = "rOprNGfwEbeRWgbNEkqO"};
}

ErrorFields fields_of(const std::string& text) {
  const auto fields = read_error_fields(read_message(text, static_cast<std::uint32_t>(text.size())).body);
  REQUIRE(fields);
  return *fields;
}
std::string code_of(const std::string& text) {
  return std::string(fields_of(text).code);
}
std::string message_of(const std::string& text) {
  return std::string(fields_of(text).message);
}

// What the first row's first column of `sql` is; or its error's code.
std::string ask(Connection& connection, PostgresqlServer& server, std::string_view sql) {
  std::string text;
  write_query(text, sql);
  connection.send(text);
  std::string answer;
  for (;;) {
    const Message message = read_message(connection.input(), 1 << 20);
    if (message.found == Found::incomplete) {
      REQUIRE(connection.receive());
      continue;
    }
    REQUIRE(message.found == Found::whole);
    if (message.type == kDataRow) answer = message.body.substr(2 + 4);
    if (message.type == kErrorResponse) answer = read_error_fields(message.body)->code;
    if (message.type == kParameterStatus) server.parameters().report(message.body);
    const bool done = message.type == kReadyForQuery;
    if (done) server.transaction_status(message.body.front());
    connection.input().erase(0, message.size());
    if (done) return answer;
  }
}

}  // namespace

TEST_CASE("PostgreSQL lets in by trust, MD5 and SCRAM, and says what it is") {
  const std::vector<std::vector<std::string>> rows{
      {"trusted", ""}, {"digest", "secret"}, {"scram", "pencil"}, {"umlaut", "p\u00e4ss w\u00f6rd"}};
  for (const auto& row : rows) {
    INFO(row[0]);
    PostgresqlServer server(plan(row[0], row[1]));
    Connection connection(database().port());
    const auto outcome = connection.run(server);
    CHECK(outcome.kind == Kind::ready);
    CHECK(server.parameters().value("server_version").substr(0, 2) == "15");
    CHECK(server.parameters().value("application_name") == "ambassador");
    CHECK(server.role() == Role::primary);
    CHECK_FALSE(server.interruption().empty());
    CHECK(ask(connection, server, "select current_user") == row[0]);
    CHECK(ask(connection, server, "select pg_backend_pid()") == std::to_string(server.process()));
    connection.send(server.farewell());
    CHECK_FALSE(connection.receive());
  }
}

TEST_CASE("PostgreSQL's refusals are passed on in its own words, and are final") {
  struct Row {
    LoginPlan plan;
    std::string code;
  };
  const std::vector<Row> rows{
      {plan("scram", "wrong"), "28P01"},
      {plan("digest", "wrong"), "28P01"},
      {plan("scram", ""), "28P01"},
      {plan("nobody"), "28000"},
      {plan("trusted", "", "nothing"), "3D000"},
      {plan("clear", "open"), "28000"},  // ours: it would be said in clear text
  };
  for (const Row& row : rows) {
    PostgresqlServer server(row.plan);
    Connection connection(database().port());
    const auto outcome = connection.run(server);
    CHECK(outcome.kind == Kind::failed);
    CHECK_FALSE(outcome.passing);
    CHECK(code_of(outcome.text) == row.code);
  }
}

TEST_CASE("too many connections are passing: the next attempt may do") {
  auto first = std::make_unique<Connection>(database().port());
  PostgresqlServer held(plan("limited"));
  REQUIRE(first->run(held).kind == Kind::ready);
  {
    PostgresqlServer server(plan("limited"));
    Connection connection(database().port());
    const auto outcome = connection.run(server);
    CHECK(outcome.kind == Kind::failed);
    CHECK(outcome.passing);
    CHECK(code_of(outcome.text) == "53300");
  }
  first.reset();
  CHECK(eventually([] {
    PostgresqlServer server(plan("limited"));
    Connection connection(database().port());
    return connection.run(server).kind == Kind::ready;
  }));
}

TEST_CASE("a connection is clean for its next client, whatever the last one left") {
  for (const std::string last : {"select 1", "begin", "begin; select 1/0"}) {
    INFO(last);
    PostgresqlServer server(plan("trusted"));
    Connection connection(database().port());
    REQUIRE(connection.run(server).kind == Kind::ready);
    ask(connection, server, "set timezone = 'Asia/Tokyo'");
    CHECK(server.parameters().value("TimeZone") == "Asia/Tokyo");
    ask(connection, server, "create temp table t(i int); prepare p as select 1");
    ask(connection, server, last);
    server.left_something();
    REQUIRE_FALSE(server.given_back());
    CHECK(connection.run(server).kind == Kind::ready);
    CHECK(server.parameters().value("TimeZone") != "Asia/Tokyo");
    CHECK(server.given_back());
    CHECK(ask(connection, server, "select 1 from t") == "42P01");
    CHECK(ask(connection, server, "execute p") == "26000");
  }
}

TEST_CASE("what a connection runs is interrupted by what it says interrupts it") {
  PostgresqlServer server(plan("trusted"));
  Connection connection(database().port());
  REQUIRE(connection.run(server).kind == Kind::ready);
  std::string text;
  write_query(text, "select pg_sleep(60)");
  connection.send(text);
  REQUIRE(eventually([&] {
    return database().sql("do $$ begin if not exists (select 1 from pg_stat_activity where pid = " +
                          std::to_string(server.process()) +
                          " and state = 'active') then raise 'not yet'; end if; end $$");
  }));
  Connection other(database().port());
  other.send(server.interruption());
  CHECK_FALSE(other.receive());
  std::string code;
  while (code.empty() && connection.receive()) {
    std::string_view input = connection.input();
    for (Message m = read_message(input, 1 << 20); m.found == Found::whole;
         m = read_message(input, 1 << 20)) {
      if (m.type == kErrorResponse) code = read_error_fields(m.body)->code;
      input.remove_prefix(m.size());
    }
  }
  CHECK(code == "57014");
}

TEST_CASE("a server without TLS is not logged in at where TLS is wanted") {
  LoginPlan encrypted = plan("trusted");
  encrypted.encrypt = true;
  PostgresqlServer server(encrypted);
  Connection connection(database().port());
  const auto outcome = connection.run(server);
  CHECK(outcome.kind == Kind::failed);
  CHECK(code_of(outcome.text) == "08006");
}

TEST_CASE("under TLS, SCRAM is bound to the server's certificate, and a password may be said in clear text") {
  PostgresqlServer15 own(
      "hostssl all clear 127.0.0.1/32 password\nhostssl all all 127.0.0.1/32 scram-sha-256\n", {"ssl=on"});
  REQUIRE(own.sql("create role scram login password 'pencil'; create role clear login password 'open'"));
  const auto login = [&own](const char* user, const char* password, const char* end_point) {
    LoginPlan encrypted = plan(user, password);
    encrypted.encrypt = true;
    PostgresqlServer server(encrypted);
    Connection connection(own.port());
    if (end_point != nullptr) connection.claim_end_point(end_point);
    const auto outcome = connection.run(server);
    if (outcome.kind != Kind::ready) return message_of(outcome.text);
    return ask(connection, server, "select version from pg_stat_ssl where pid = pg_backend_pid()");
  };
  CHECK(login("scram", "pencil", nullptr) == "TLSv1.3");
  CHECK(login("scram", "wrong", nullptr) == "password authentication failed for user \"scram\"");
  CHECK(login("clear", "open", nullptr) == "TLSv1.3");
  // Somebody in between has another certificate: the right password does not help.
  CHECK(login("scram", "pencil", "another certificate's hash") == "SCRAM channel binding check failed");
  // Where we cannot tell it, PLUS is not chosen.
  CHECK(login("scram", "pencil", "") == "TLSv1.3");
}

TEST_CASE("a server that is stopped says so to a connection at rest") {
  PostgresqlServer15 own("host all all 127.0.0.1/32 trust\n");
  PostgresqlServer server(plan("admin"));
  Connection connection(own.port());
  REQUIRE(connection.run(server).kind == Kind::ready);
  own.signal(SIGINT);
  const auto outcome = connection.run(server);
  CHECK(outcome.kind == Kind::failed);
  CHECK(outcome.passing);
  CHECK(code_of(outcome.text) == "57P01");
}
