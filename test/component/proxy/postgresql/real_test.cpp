// Sessions and servers against a real PostgreSQL: logging in, and clients of a pool get byte for byte what
// direct ones get.
#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "test/component/proxy/postgresql/scene.hpp"

using namespace scene;
using config::Pooling;
using namespace std::literals;

namespace {

struct Part {
  std::string bytes;
  std::size_t readies = 1;
};
using Script = std::vector<Part>;

std::vector<std::string> play(Client& client, const Script& script) {
  std::vector<std::string> heard;
  for (const Part& part : script) heard.push_back(client.ask(part.bytes, part.readies));
  return heard;
}

// Reads as text where it differs.
std::string shown(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) out += c >= ' ' && c <= '~' ? std::string(1, c) : std::string(".");
  return out;
}

void same_as_direct(const Script& script, Pooling pooling, std::size_t piece = 16384) {
  DirectClient direct;
  Proxy proxy(settings(pooling));
  proxy.pool.piece = piece;
  PooledClient pooled(proxy);
  const auto expected = play(direct, script);
  const auto got = play(pooled, script);
  for (std::size_t i = 0; i < script.size(); ++i) {
    INFO("part " << i << ": " << shown(script[i].bytes) << ", in pieces of " << piece);
    CHECK(shown(got[i]) == shown(expected[i]));
    CHECK(got[i] == expected[i]);
  }
  CHECK(pooled.client.began == pooled.client.ended);
}

void same_in_all_ways(const Script& script) {
  for (const Pooling pooling : {Pooling::session, Pooling::transaction}) {
    same_as_direct(script, pooling);
    same_as_direct(script, pooling, 1);
    same_as_direct(script, pooling, 7);
  }
}

std::string told(const std::string& bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const pg::Header front = pg::read_header(rest);
    if (front.type == 'E')
      return std::string(pg::read_error_fields(rest.substr(pg::kHeader, front.body)).value().code);
    rest.remove_prefix(front.size());
  }
  return {};
}

}  // namespace

TEST_CASE("the proxy logs in as servers ask it to") {
  for (const Pooling pooling : {Pooling::session, Pooling::transaction}) {
    for (const char* user : {"trusty", "scrammy", "md5y"}) {
      Proxy proxy(settings(pooling, user, "pencil"));
      PooledClient client(proxy);
      INFO(user);
      CHECK(count(client.greeting, 'R') == 1);
      CHECK(count(client.greeting, 'K') == 1);
      CHECK(count(client.greeting, 'S') >= 12);
      CHECK(client.ask(query("SELECT current_user")).find(user) != std::string::npos);
    }
  }
}

TEST_CASE("what a server says to a login is what the client is told") {
  const auto login = [](const std::string& user, const std::string& password,
                        const std::string& database = "shop") {
    pg::Settings made = settings(Pooling::transaction, user, password);
    Proxy proxy(made);
    PooledClient client(proxy, {}, false);
    const std::string packet = pg::test::startup("user\0x\0database\0"s + database + '\0');
    const std::string heard = client.ask(packet);
    CHECK(client.closed());
    return told(heard);
  };
  CHECK(login("scrammy", "wrong") == "28P01");
  CHECK(login("md5y", "wrong") == "28P01");
  CHECK(login("nobody", "") == "28000");
  CHECK(login("trusty", "", "nowhere") == "3D000");
  CHECK(login("clear", "pencil") == "28000");  // a password in plain text
}

TEST_CASE("too many connections is a failure that passes") {
  Proxy first(settings(Pooling::session, "full"));
  PooledClient holder(first);
  Proxy second(settings(Pooling::session, "full"));
  PooledClient late(second, {}, false);
  late.say(startup());
  late.wait([&] { return !second.pool.servers.empty() && second.pool.servers[0]->failed; });
  CHECK(second.pool.servers[0]->passing);
  CHECK(told(late.hear()) == "53300");
}

TEST_CASE("simple queries get what direct ones get") {
  same_in_all_ways({{query("SELECT 1")},
                    {query("SELECT generate_series(1, 3); SELECT 'a'; ")},
                    {query("")},
                    {query("SELECT 1/0")},
                    {query("nonsense")},
                    {query("BEGIN")},
                    {query("SELECT 2")},
                    {query("SELECT 1/0")},
                    {query("SELECT 3")},
                    {query("ROLLBACK")},
                    {query("SELECT repeat('x', 100000)")},
                    {query("SELECT length('" + std::string(100000, 'x') + "')")},
                    {query("SELECT 1") + query("SELECT 2") + query("SELECT 1/0") + query("SELECT 3"), 4},
                    {query("DO $$ BEGIN RAISE NOTICE 'hear'; END $$")},
                    {synced()}});
}

TEST_CASE("extended queries get what direct ones get, whatever server comes next") {
  const std::string sum = "SELECT $1::int + 1";
  same_in_all_ways(
      {{parse("", sum) + bind("", {"1"}) + describe('P', "") + execute() + synced()},
       {parse("a", sum) + describe('S', "a") + synced()},
       {bind("a", {"2"}) + execute() + synced()},
       {bind("a", {"3"}) + describe('P', "") + execute() + synced()},
       {parse("b", "SELECT $1::text") + parse("c", sum) + bind("b", {"x"}) + execute() + bind("c", {"5"}) +
        execute() + synced()},
       {bind("b", {"y"}) + execute() + bind("c", {"6"}) + execute() + synced()},
       {parse("", "SELECT 'kept'") + synced()},
       {bind("") + execute() + synced()},
       {bind("") + execute() + synced()},
       {describe('S', "") + synced()},
       {close('S', "a") + synced()},
       {bind("b", {"z"}) + close('S', "b") + execute() + parse("b", "SELECT 7") + bind("b") + execute() +
        synced()},
       {bind("b") + execute() + synced()},
       {parse("d", "SELECT no_such_column") + bind("d") + execute() + synced()},
       {parse("d", "SELECT 8") + bind("d") + execute() + synced()},
       {bind("c", {"not a number"}) + execute() + synced() + bind("c", {"9"}) + execute() + synced(), 2},
       {parse("e", "SELECT 1/$1::int") + bind("e", {"0"}) + execute() + parse("f", "SELECT 1") + synced()},
       {bind("e", {"1"}) + execute() + synced()},
       {parse("f", "SELECT 11") + bind("f") + execute() + synced()},
       {query("SELECT 1")},
       {bind("f") + execute() + synced() + query("SELECT 2") + bind("e", {"2"}) + execute() + synced(), 3},
       {parse("g", "SELECT generate_series(1, 5)") + bind("g", {}, "p") + execute("p", 2) + execute("p", 2) +
        close('P', "p") + synced()},
       {parse("h", "SELECT $1::text") + bind("h", {std::string(200000, 'v')}) + execute() + synced()},
       {bind("h", {std::string(100000, 'w')}) + execute() + synced()},
       {parse("", "") + bind("") + execute() + synced()},
       {synced() + synced() + bare('H') + synced(), 3}});
}

TEST_CASE("long statements that can't be kept get what direct ones get") {
  const std::string sql = "SELECT length('" + std::string(150000, 'q') + "')";
  same_in_all_ways({{parse("", sql) + bind("") + execute() + synced()},
                    {bind("") + execute() + synced()},
                    {parse("long", sql) + synced()},
                    {bind("long") + execute() + synced()},
                    {close('S', "long") + synced()},
                    {query("SELECT 1")}});
  Proxy proxy(settings(Pooling::transaction));
  PooledClient client(proxy);
  client.ask(parse("short", "SELECT 1") + synced());
  CHECK(told(client.ask(parse("short", sql) + synced())) == "42P05");
  CHECK(client.client.server() == nullptr);
  CHECK(told(client.ask(bind("short") + execute() + synced())).empty());
}

TEST_CASE("COPY in both directions gets what direct ones get") {
  real::Server::get().run("");
  const std::string data = bare('d', "1\tone\n") + bare('d', "2\ttwo\n");
  same_in_all_ways(
      {{query("CREATE TEMP TABLE t (n int, s text)")},
       {query("COPY t FROM STDIN") + data + bare('c')},
       {query("COPY t TO STDOUT")},
       {query("COPY t FROM STDIN") + data + bare('f', "enough\0"s)},
       {query("COPY t FROM STDIN") + bare('d', "x\n") + data + bare('c')},
       {query("COPY no_such_table FROM STDIN") + data + bare('c')},
       {parse("", "COPY t FROM STDIN") + bind("") + execute() + synced() + data + bare('c') + synced()},
       {parse("", "COPY t FROM STDIN") + bind("") + execute() + bare('d', "y\n") + bare('c') + synced()},
       {parse("", "COPY t TO STDOUT") + bind("") + execute() + synced()},
       {query("COPY t FROM STDIN") + bare('d', "7\t" + std::string(200000, 'z') + "\n") + bare('c')},
       {query("SELECT count(*) FROM t")},
       {query("DROP TABLE t")}});
}

TEST_CASE("clients keep their own parameters on servers that others used before") {
  Proxy proxy(settings(Pooling::transaction), 1);
  PooledClient a(proxy, "application_name\0a\0TimeZone\0utc\0"s);
  PooledClient b(proxy, "application_name\0b\0client_encoding\0latin1\0"s);
  CHECK(b.greeting.find("LATIN1") != std::string::npos);
  const auto value = [](PooledClient& client, const std::string& name) {
    const std::string heard = client.ask(query("SHOW " + name));
    const std::string_view row = std::string_view(heard).substr(heard.find("D\0\0\0"sv));
    const std::size_t size = pg::big_endian32(row.data() + 7);
    return std::string(row.substr(11, size));
  };
  for (int i = 0; i < 3; ++i) {
    CHECK(value(a, "application_name") == "a");
    CHECK(value(b, "application_name") == "b");
    CHECK(value(a, "TimeZone") == "UTC");
    CHECK(value(b, "client_encoding") == "LATIN1");
    CHECK(value(a, "client_encoding") == "UTF8");
  }
  CHECK(count(a.ask(query("SET TimeZone = 'Europe/Vienna'")), 'S') == 1);
  CHECK(value(b, "TimeZone") != "Europe/Vienna");
  CHECK(value(a, "TimeZone") == "Europe/Vienna");
  CHECK(a.client.server() == nullptr);
  a.ask(query("SET application_name = 'it''s \\ '"));
  b.ask(query("SELECT 1"));
  CHECK(value(a, "application_name") == "it's \\ ");
}

TEST_CASE("RESET brings back what the client began with, not what the server did") {
  Proxy proxy(settings(Pooling::transaction), 1);
  const std::string wishes = "DateStyle\0Postgres, DMY\0TimeZone\0Asia/Tokyo\0"s;
  PooledClient client(proxy, wishes);
  PooledClient other(proxy, "DateStyle\0German\0"s);
  DirectClient direct(wishes);
  const auto values = [](Client& of) {
    const std::string heard =
        of.ask(query("SELECT current_setting('DateStyle'), current_setting('TimeZone')"));
    const std::size_t at = heard.find("D\0\0\0"sv);
    return heard.substr(at, heard.find("C\0\0\0"sv) - at);
  };
  const auto alike = [&](const std::string& messages, std::size_t readies = 1) {
    INFO(shown(messages));
    client.ask(messages, readies);
    direct.ask(messages, readies);
    CHECK(shown(values(client)) == shown(values(direct)));
    CHECK(client.client.server() == nullptr);
    CHECK(values(other).find("German") != std::string::npos);
  };
  alike(query("SET datestyle = 'SQL'"));
  alike(query("RESET datestyle"));
  alike(query("SET datestyle = 'ISO, MDY'"));
  alike(query("RESET timezone"));
  alike(query("SET datestyle TO DEFAULT"));
  alike(query("SET TIME ZONE 'UTC'; RESET ALL"));
  alike(query("SET datestyle = 'SQL'"));
  alike(query("BEGIN") + query("RESET datestyle") + query("ROLLBACK"), 3);
  alike(query("BEGIN") + query("RESET datestyle") + query("COMMIT"), 3);
  alike(query("SET datestyle = 'SQL'"));
  alike(query("BEGIN") + query("SELECT 1/0") + query("RESET datestyle") + query("ROLLBACK"), 4);
  alike(query("SELECT 1/0; RESET datestyle"));
  alike(parse("", "RESET datestyle") + bind("") + execute() + synced());
  alike(query("SET datestyle = 'SQL'"));
  alike(parse("r", "RESET datestyle") + synced());
  alike(bind("r") + execute() + synced());
  alike(query("SET datestyle = 'SQL'"));
  alike(query("DISCARD ALL"));
}

TEST_CASE("in a session of its own parameters are the login's, and RESET is the server's") {
  Proxy proxy(settings(Pooling::session), 1);
  PooledClient client(proxy, "DateStyle\0Postgres, DMY\0"s);
  client.ask(query("SET datestyle = 'SQL'"));
  client.ask(query("RESET datestyle"));
  CHECK(client.ask(query("SHOW datestyle")).find("Postgres, DMY") != std::string::npos);
}

TEST_CASE("what nextval gave to others is told to nobody") {
  Proxy proxy(settings(Pooling::transaction), 1);
  PooledClient one(proxy);
  one.ask(query("CREATE SCHEMA numbers CREATE SEQUENCE counted"));
  for (const char* sql : {"SELECT lastval()", "SELECT currval('numbers.counted')"}) {
    for (const std::string& asked : {query(sql), parse("", sql) + bind("") + execute() + synced()}) {
      INFO(shown(asked));
      one.ask(query("SELECT nextval('numbers.counted')"));
      PooledClient client(proxy);
      CHECK(told(client.ask(asked)) == "55000");
      CHECK(client.client.server() != nullptr);  // from now on it keeps its own
      client.ask(query("SELECT nextval('numbers.counted')"));
      CHECK(count(client.ask(asked), 'D') == 1);
      client.ask(query("DISCARD ALL"));
      CHECK(client.client.server() == nullptr);
    }
  }
  one.ask(parse("p", "SELECT lastval()") + synced());
  PooledClient two(proxy);
  two.ask(query("SELECT nextval('numbers.counted')"));
  CHECK(told(one.ask(bind("p") + execute() + synced())) == "55000");
  CHECK(count(one.ask(query("SELECT nextval('numbers.counted')")), 'D') == 1);
  CHECK(count(one.ask(bind("p") + execute() + synced()), 'D') == 1);
  one.ask(query("DISCARD ALL"));
  CHECK(two.ask(query("BEGIN") + query("SELECT nextval('numbers.counted')") +
                    query("SELECT currval('numbers.counted')") + query("COMMIT"),
                4)
            .find("ERROR") == std::string::npos);
  two.ask(query("DISCARD ALL"));
  one.ask(query("DROP SCHEMA numbers CASCADE"));
}

TEST_CASE("a parameter that the server does not take refuses the client") {
  Proxy proxy(settings(Pooling::transaction), 1);
  PooledClient client(proxy, "TimeZone\0nowhere\0"s);
  CHECK(told(client.greeting) == "22023");
  CHECK(client.closed());
  PooledClient next(proxy);
  CHECK(count(next.ask(query("SELECT 1")), 'D') == 1);
}

TEST_CASE("what a client leaves on a server keeps it there until it is gone") {
  struct Case {
    const char* sql;
    pg::Pin pin;
    const char* ends;
  };
  for (const Case& c :
       {Case{"LISTEN x", pg::Pin::listen, "UNLISTEN *"},
        Case{"PREPARE p AS SELECT 1", pg::Pin::prepare, "DEALLOCATE ALL"},
        Case{"CREATE TEMP TABLE tt (n int)", pg::Pin::temporary, "DISCARD TEMP"},
        Case{"SELECT pg_advisory_lock(1)", pg::Pin::advisory_lock, "DISCARD ALL"},
        Case{"SET work_mem = '8MB'", pg::Pin::set, "DISCARD ALL"},
        Case{"SELECT set_config('work_mem', '8MB', false)", pg::Pin::set_config, "DISCARD ALL"}}) {
    INFO(c.sql);
    Proxy proxy(settings(Pooling::transaction), 1);
    PooledClient client(proxy);
    client.ask(query(c.sql));
    CHECK(client.client.server() != nullptr);
    CHECK(proxy.pins->pinned[static_cast<std::size_t>(c.pin)] == 1);
    CHECK(client.client.session().at_rest());
    client.ask(query(c.ends));
    client.turn();
    CHECK(client.client.server() == nullptr);
  }
}

TEST_CASE("a server is as new after a client that left something there") {
  Proxy proxy(settings(Pooling::transaction), 1);
  {
    PooledClient client(proxy);
    client.ask(query("SET work_mem = '8MB'"));
    client.ask(query("BEGIN"));
  }
  PooledClient next(proxy);
  CHECK(next.ask(query("SHOW work_mem")).find("4MB") != std::string::npos);
  CHECK(proxy.pool.servers.size() == 1);
}

TEST_CASE("a table that changes under a prepared statement is one error, then it works") {
  real::Server::get().run(
      "DROP TABLE IF EXISTS changing; CREATE TABLE changing (n int);"
      "GRANT ALL ON changing TO PUBLIC;");
  pg::Settings made = settings(Pooling::transaction);
  Proxy proxy(std::move(made), 1);
  PooledClient client(proxy, "database\0postgres\0"s);
  client.ask(parse("s", "SELECT * FROM changing") + bind("s") + execute() + synced());
  real::Server::get().run("ALTER TABLE changing ADD COLUMN m int");
  CHECK(told(client.ask(bind("s") + execute() + synced())) == "0A000");
  CHECK(told(client.ask(bind("s") + execute() + synced())).empty());
}

TEST_CASE("DISCARD ALL forgets statements, on the server and here") {
  same_as_direct({{parse("a", "SELECT 1") + synced()},
                  {query("DISCARD ALL")},
                  {parse("a", "SELECT 1") + bind("a") + execute() + synced()}},
                 Pooling::transaction);
}

TEST_CASE("a statement that is not there is missed with the words of the server") {
  Proxy proxy(settings(Pooling::transaction));
  PooledClient client(proxy);
  PooledClient other(proxy);
  other.ask(parse("", "SELECT 'secret'") + synced());
  CHECK(told(client.ask(bind("x") + execute() + synced())) == "26000");
  CHECK(told(client.ask(bind("") + execute() + synced())) == "26000");
  CHECK(told(client.ask(bind("") + execute() + synced())) == "26000");
  client.ask(parse("s", "SELECT 1") + synced());
  CHECK(told(client.ask(parse("s", "SELECT 2") + synced())) == "42P05");
}

TEST_CASE("what the server passes over after an error changes no statement") {
  const std::string wrong = execute("no such portal");
  same_in_all_ways({
      {parse("s", "SELECT 1") + synced()},
      {wrong + close('S', "s") + parse("s", "SELECT 2") + synced()},
      {bind("s") + execute() + synced()},  // the first one
      {close('S', "s") + wrong + parse("s", "SELECT 3") + synced()},
      {bind("s") + execute() + synced()},  // none
      {parse("s", "SELECT 4") + close('S', "s") + parse("s", "SELECT 5") + wrong + close('S', "s") +
       synced()},
      {bind("s") + execute() + synced()},  // the fifth
  });
  same_in_all_ways({
      {parse("", "SELECT 1") + synced()},
      {wrong + parse("", "SELECT 2") + close('S', "") + synced()},
      {bind("") + execute() + synced()},  // the first one
      {parse("", "SELECT 3") + bind("") + execute() + wrong + parse("", "SELECT 4") + synced()},
      {bind("") + execute() + describe('S', "") + synced()},  // the third
      {parse("", "SELEC") + synced()},
      {bind("") + execute() + synced()},  // none
      {describe('S', "") + synced()},
      {parse("", "SELECT 5") + close('S', "") + bind("") + synced()},  // none
      {parse("", "SELECT 6") + synced() + wrong + query("SELECT 7") + synced(), 2},
      {bind("") + execute() + synced()},  // the sixth
      {query("SELECT 8") + bind("") + synced(), 2},
  });
}

TEST_CASE("statements of batches that are not answered yet are what the server makes of them") {
  const std::string wrong = execute("no such portal");
  const std::string use = bind("s") + execute() + synced();
  same_in_all_ways({
      {parse("s", "SELECT 1") + synced() + use + use, 3},
      {wrong + close('S', "s") + synced() + use, 2},
      {wrong + close('S', "s") + parse("s", "SELECT 2") + synced() + use + close('S', "s") + synced() + use,
       4},
      {wrong + parse("s", "SELECT 3") + synced() + use + parse("s", "SELECT 4") + synced() + use, 4},
      {parse("", "SELECT 5") + synced() + bind("") + execute() + synced() + wrong + parse("", "SELECT 6") +
           synced() + bind("") + execute() + synced(),
       4},
      {close('S', "s") + synced() + use + wrong + close('S', "") + synced() + bind("") + execute() + synced(),
       4},
  });
  // Also on a server that lacks them.
  Proxy proxy(settings(Pooling::transaction));
  PooledClient client(proxy);
  PooledClient other(proxy);
  client.ask(parse("s", "SELECT 7") + synced());
  other.ask(query("BEGIN"));
  for (int i = 0; i < 2; ++i) {
    const std::string heard = client.ask(wrong + bind("s") + synced() + use, 2);
    CHECK(told(heard) == "34000");
    CHECK(count(heard, 'E') == 1);
    CHECK(count(heard, 'D') == 1);
    other.ask(query("COMMIT"));
    client.ask(query("BEGIN"));
    other.ask(query("BEGIN"));
    client.ask(query("COMMIT"));
  }
}

TEST_CASE("what takes statements away is known before they are used again, also by SQL's names") {
  const std::string use = bind("S") + execute() + synced();
  same_in_all_ways({
      {parse("S", "SELECT 1") + synced()},
      {query("DEALLOCATE ALL; SELECT 1") + parse("S", "SELECT 2") + synced() + use, 3},
      {query("DEALLOCATE \"S\"") + use, 2},
      {parse("S", "SELECT 3") + synced() + query("BEGIN") + query("DEALLOCATE PREPARE \"S\";") + use, 4},
      {query("DEALLOCATE \"S\"")},
      {query("ROLLBACK")},
      {parse("S", "SELECT 4") + parse("", "DEALLOCATE ALL") + bind("") + execute() + synced() + use, 2},
      {parse("", "SELECT 5") + synced() + query("DEALLOCATE ALL") + bind("") + synced(), 3},
      {parse("S", "SELECT 6") + query("DEALLOCATE \"none\"") + synced(), 2},
      {query("SELECT 7; DEALLOCATE \"S\"; SELECT 8") + use, 2},
      {parse("S", "SELECT 9") + parse("T", "SELECT 10") + synced()},
      {query("BEGIN")},
      {query("SAVEPOINT x;DEALLOCATE \"S\";RELEASE x") + use, 2},
      {query("ROLLBACK")},
      {parse("S", "SELECT 11") + synced()},
      {parse("", "DEALLOCATE \"S\"") + bind("") + execute() + synced() + use, 2},
      {bind("T") + execute() + synced()},
  });
}

TEST_CASE("within one batch, too") {
  const std::string all = parse("", "DEALLOCATE ALL") + bind("") + execute();
  const std::string use = bind("S") + execute();
  same_in_all_ways({
      {parse("S", "SELECT 1") + synced()},
      {all + parse("S", "SELECT 1") + use + synced()},
      {all + use + synced()},
      {parse("S", "SELECT 1") + parse("D", "DEALLOCATE ALL") + synced()},
      {bind("D") + execute() + parse("T", "SELECT 1") + bind("T") + execute() + synced()},
      {parse("S", "SELECT 1") + query("BEGIN") + query("SELECT 1/0"), 2},
      {all + parse("U", "SELECT 2") + synced() + query("ROLLBACK") + use + synced(), 3},
      {parse("", "DISCARD PLANS") + bind("") + execute() + close('S', "S") + parse("S", "SELECT 3") + use +
       synced()},
      {use + query("DEALLOCATE ALL") + parse("S", "SELECT 3") + use + synced(), 2},
      {all + describe('S', "S") + synced()},
  });
}

TEST_CASE("statements are given up by SQL on a server that lacks them, too") {
  for (const std::string& said : {query("DEALLOCATE \"S\""), query("SELECT 1;DEALLOCATE \"S\";SELECT 2"),
                                  parse("", "DEALLOCATE \"S\"") + bind("") + execute() + synced()}) {
    Proxy proxy(settings(Pooling::transaction));
    PooledClient client(proxy);
    PooledClient other(proxy);
    client.ask(parse("S", "SELECT 1") + synced());
    other.ask(query("BEGIN"));  // it has that server now
    const std::string heard = client.ask(said);
    CHECK(told(heard).empty());
    CHECK(heard.find("DEALLOCATE") != std::string::npos);
    CHECK(count(heard, 'Z') == 1);
    CHECK(told(client.ask(bind("S") + execute() + synced())) == "26000");
    other.ask(query("COMMIT"));
  }
}

TEST_CASE("what SQL does not come to is not given up") {
  const std::string use = bind("S") + execute() + synced();
  same_in_all_ways({
      {parse("S", "SELECT 1") + parse("T", "SELECT 2") + synced()},
      {query("SELECT 1/0; DEALLOCATE \"S\"") + use, 2},
      {query("DEALLOCATE \"T\"; SELECT 1/0; DEALLOCATE \"S\"") + use, 2},
      {bind("T") + execute() + synced()},
      {query("PREPARE x AS SELECT 3; DEALLOCATE x; SELECT 1/0; DEALLOCATE \"S\"") + use, 2},
      {execute("no such portal") + parse("", "DEALLOCATE \"S\"") + bind("") + execute() + synced() + use, 2},
      {query("BEGIN") + query("SELECT 1/0") + query("DEALLOCATE \"S\"") + query("ROLLBACK") + use, 5},
      {parse("", "DEALLOCATE \"S\"") + synced() + query("SELECT 4") + use, 3},
      {parse("", "DEALLOCATE \"S\"") + bind("") + execute() + execute() + synced() + use, 2},
  });
}

TEST_CASE("a client stays where it is while something of it may be left there") {
  for (const char* said : {"DEALLOCATE ALL; PREPARE y AS SELECT 1", "UNLISTEN *; LISTEN c",
                           "CLOSE ALL; DECLARE y CURSOR WITH HOLD FOR SELECT 1"}) {
    Proxy proxy(settings(Pooling::transaction), 1);
    PooledClient client(proxy);
    client.ask(query(said));
    INFO(said);
    CHECK(client.client.server() != nullptr);
  }
  Proxy proxy(settings(Pooling::transaction), 1);
  PooledClient client(proxy);
  client.ask(query("CREATE TEMP TABLE kept (n int)"));
  client.ask(query("BEGIN") + query("DISCARD TEMP") + query("ROLLBACK"), 3);
  CHECK(client.client.server() != nullptr);
  CHECK(told(client.ask(query("SELECT * FROM kept"))).empty());
  client.ask(query("DISCARD TEMP; SELECT 1/0"));
  CHECK(client.client.server() != nullptr);
  client.ask(query("DISCARD TEMP"));
  CHECK(client.client.server() == nullptr);
}

TEST_CASE("a Close that the server passed over took nothing away") {
  const std::string fails = execute("no such portal") + close('S', "S");
  const std::string again = parse("S", "SELECT 2") + synced();
  const std::string use = bind("S") + execute() + synced();
  same_in_all_ways({
      {parse("S", "SELECT 1") + synced()},
      {fails + again + use, 2},
      {close('S', "S") + again + use, 2},
  });
  // This one the proxy does not keep.
  same_in_all_ways({
      {parse("S", "SELECT length('" + std::string(70'000, 'y') + "')") + synced()},
      {fails + synced() + use, 2},
      {fails + again + use, 2},
      {close('S', "S") + again + use, 2},
  });
}

TEST_CASE("a query ends the unnamed statement, also one whose Close the server passed over") {
  const std::string fails = parse("", "SELECT 1/0") + bind("") + execute() + close('S', "") + synced();
  same_in_all_ways({
      {fails + query("SELECT 1") + bind("") + synced(), 3},
      {parse("", "SELECT 2") + synced() + close('S', "") + synced() + query("") + bind("") + synced(), 4},
  });
}

TEST_CASE("a client without an unnamed statement finds nobody else's") {
  Proxy proxy(settings(Pooling::transaction), 1);
  PooledClient client(proxy);
  PooledClient other(proxy);
  other.ask(parse("", "SELECT 'secret'") + synced());
  other.ask(parse("", "SELECT nothing") + parse("", "SELECT 2") + synced());
  CHECK(told(client.ask(bind("") + execute() + synced())) == "26000");
  other.ask(parse("", "SELECT 'secret'") + synced());
  other.ask(execute("no such portal") + parse("", "SELECT 2") + synced());
  CHECK(told(client.ask(bind("") + execute() + synced())) == "26000");
  CHECK(other.ask(bind("") + execute() + synced()).find("secret") != std::string::npos);
}

TEST_CASE("a session that the server ends in the middle of a query is told once") {
  Proxy proxy(settings(Pooling::transaction), 1);
  PooledClient client(proxy);
  client.say(query("SELECT pg_sleep(30)"));
  client.wait([&] { return client.client.server() != nullptr; });
  real::Server::get().run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'trusty' AND "
      "query LIKE '%sleep%'");
  const std::string heard = client.hear();
  CHECK(told(heard) == "08006");
  CHECK(count(heard, 'E') == 1);
  CHECK(count(client.ask(query("SELECT 1")), 'D') == 1);
}

TEST_CASE("passthrough: the server and the client talk about the login themselves") {
  pg::Settings made = settings(Pooling::session);
  made.authentication = config::Authentication::passthrough;
  Proxy proxy(std::move(made));
  PooledClient client(proxy);
  CHECK(count(client.greeting, 'K') == 1);
  CHECK(count(client.ask(query("SELECT 1")), 'D') == 1);
  CHECK(client.client.session().at_rest());
}
