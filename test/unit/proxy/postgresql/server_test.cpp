// A server connection between its clients: what it says unasked, how it is cleaned, what is known of it.
#include "proxy/postgresql/server.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "test/unit/proxy/postgresql/toy_server.hpp"

using namespace toy;
using namespace std::string_literals;
using Kind = Step::Kind;

namespace {

// A connection that is logged in.
struct Connected {
  PostgresqlServer server{plan()};
  Feeder<PostgresqlServer> feeder{server};

  Connected() {
    feeder.feed("");
    REQUIRE(feeder.feed(welcome()).kind == Kind::ready);
  }
};

std::string query(std::string_view sql) {
  return said([&](auto& out) { write_query(out, sql); });
}

}  // namespace

TEST_CASE("what interrupts a connection names its process and key, and nothing does before the login") {
  PostgresqlServer server(plan());
  CHECK(server.interruption().empty());
  CHECK(server.farewell().empty());
  CHECK(server.role() == Role::any);
  const Connected connected;
  CHECK(connected.server.interruption() == "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x2akeys"s);
  CHECK(connected.server.farewell() == "X\0\0\0\x04"s);
  CHECK(connected.server.process() == 42);
}

TEST_CASE("the role is what the server says of itself, also when it is promoted") {
  Connected at;
  CHECK(at.server.role() == Role::primary);
  at.feeder.feed(parameter("in_hot_standby", "on"));
  CHECK(at.server.role() == Role::replica);
  at.feeder.feed(parameter("in_hot_standby", "off"));
  CHECK(at.server.role() == Role::primary);
}

TEST_CASE("at rest, notices and notifications of any size are passed over, however they are cut") {
  const std::string large = "A\0\x02\0\x04"s + std::string(std::size_t{128} << 10, 'x');
  const std::string all =
      parameter("TimeZone", "UTC") + "N" + error("00000").substr(1) + large + parameter("TimeZone", "CET");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, all.size()}) {
    Connected at;
    for (std::size_t i = 0; i < all.size(); i += piece)
      REQUIRE(at.feeder.feed(all.substr(i, piece)).kind == Kind::need_more);
    CHECK(at.server.parameters().value("TimeZone") == "CET");
    CHECK(at.feeder.input_empty());
  }
}

TEST_CASE("a server's last words end the connection, and another may do") {
  Connected at;
  const Outcome outcome = at.feeder.feed(error("57P01"));
  CHECK(outcome.kind == Kind::failed);
  CHECK(outcome.passing);
  CHECK(outcome.text == error("57P01"));
}

TEST_CASE("a server that says at rest what nobody asked for is not lent again") {
  const std::vector<std::string> refused{ready(),        complete("SELECT 1"), "D\0\0\0\x06\0\0"s,
                                         "Z\0\0\0\x04"s, "S\0\0\0\x05x"s,      "A\0\0\0\x03"s,
                                         "S\x7f\0\0\0"s, "\0\0\0\0\0"s};
  for (const std::string& text : refused) {
    INFO(text);
    Connected at;
    CHECK(at.feeder.feed(text).kind == Kind::failed);
  }
}

TEST_CASE("a server that was left as it was found is lent again at once") {
  Connected at;
  CHECK(at.server.given_back());
  at.server.transaction_status('T');
  at.server.transaction_status('I');
  CHECK(at.server.given_back());
}

TEST_CASE("a server is cleaned of what was left, and of transactions before that") {
  struct Row {
    char status;
    bool left;
    std::string sent;
    std::string answers;
  };
  const std::vector<Row> rows{
      {'I', true, query("DISCARD ALL"), complete("DISCARD ALL") + parameter("TimeZone", "UTC") + ready()},
      {'T', false, query("ROLLBACK") + query("DISCARD ALL"),
       complete("ROLLBACK") + ready() + complete("DISCARD ALL") + ready()},
      {'E', true, query("ROLLBACK") + query("DISCARD ALL"),
       complete("ROLLBACK") + ready() + complete("DISCARD ALL") + parameter("TimeZone", "UTC") + ready()},
  };
  for (const Row& row : rows) {
    for (std::size_t piece = 1; piece <= row.answers.size(); ++piece) {
      Connected at;
      at.server.statements().add("a");
      at.server.transaction_status(row.status);
      if (row.left) at.server.left_something();
      REQUIRE_FALSE(at.server.given_back());
      Outcome outcome = at.feeder.feed("");
      CHECK(outcome.sent == row.sent);
      for (std::size_t i = 0; i < row.answers.size(); i += piece) {
        REQUIRE(outcome.kind == Kind::need_more);
        outcome = at.feeder.feed(row.answers.substr(i, piece));
      }
      CHECK(outcome.kind == Kind::ready);
      CHECK(at.server.transaction_status() == 'I');
      CHECK(at.server.statements().size() == 0);
      CHECK(at.server.given_back());
    }
  }
}

TEST_CASE("a server that can't be cleaned is not lent again") {
  const std::vector<std::string> answers{error("25001", "ERROR"), error("57P01"), ready('T'), ready('E'),
                                         "T\0\0\0\x06\0\0"s};
  for (const std::string& answer : answers) {
    Connected at;
    at.server.left_something();
    REQUIRE_FALSE(at.server.given_back());
    at.feeder.feed("");
    const Outcome outcome = at.feeder.feed(answer);
    CHECK(outcome.kind == Kind::failed);
    CHECK(outcome.passing);
  }
}

TEST_CASE("a connection whose client logs in itself is ready at once and never lent to another") {
  PostgresqlServer server({.log_in = false});
  CHECK(server.on_bytes({}).kind == Kind::ready);
  CHECK(server.interruption().empty());
  CHECK(server.farewell().empty());
  server.left_something();
  CHECK_FALSE(server.given_back());
  CHECK(server.on_bytes({}).kind == Kind::failed);
}

TEST_CASE("of the prepared statements, the least recently used leaves") {
  StatementNames names(2);
  CHECK_FALSE(names.add("a"));
  CHECK_FALSE(names.add("b"));
  CHECK_FALSE(names.add("b"));
  CHECK(names.use("a"));
  CHECK(names.add("c") == "b");
  CHECK_FALSE(names.use("b"));
  CHECK(names.use("a"));
  CHECK(names.use("c"));
  names.remove("a");
  names.remove("a");
  CHECK_FALSE(names.use("a"));
  CHECK_FALSE(names.add("d"));
  names.clear();
  CHECK(names.size() == 0);
  CHECK_FALSE(names.use("c"));
}
