// The read/write split: which units of work go to a replica, and what becomes of those that it could not do.
#include <algorithm>
#include <catch2/catch.hpp>

#include "proxy/postgresql/core.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "test/unit/proxy/postgresql/fake_server.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::postgresql;
using namespace std::literals;
using ambassador::proxy::test::ToyClient;
using ambassador::proxy::test::ToyPool;
using config::ReadWriteSplit;
namespace toy = ambassador::proxy::postgresql::test;
using toy::bare;
using toy::parse;
using toy::query;

namespace {

constexpr auto kStatements = ReadWriteSplit::statements;
constexpr auto kTransactions = ReadWriteSplit::read_only_transactions;
const std::string kSync = bare('S');
const std::string kExecute = bare('E', "\0\0\0\0\0"sv);

std::string bind(std::string_view statement) {
  std::string out;
  toy::Made(out, 'B').string("").string(statement).number16(0).number16(0).number16(0);
  return out;
}
std::string describe(std::string_view statement) {
  return bare('D', "S" + std::string(statement) + '\0');
}
std::string run(std::string_view sql) {
  return parse("", sql) + bind("") + kExecute + kSync;
}

// A primary and a replica, and what they were told: "p: SQL" or "r: SQL".
struct Scene {
  explicit Scene(ReadWriteSplit split, std::size_t piece = 16384, Role role = Role::primary,
                 std::string encoding = "UTF8") {
    Settings settings;
    settings.pooling = config::Pooling::transaction;
    settings.role = role;
    settings.split = split;
    const auto account = std::make_shared<const Account>("proxy", "pencil");
    settings.account = [account] { return account; };
    settings.random = [](std::span<char> out) { std::fill(out.begin(), out.end(), 'r'); };
    core = make_core(std::move(settings));
    const auto line = [this, encoding](bool replica) {
      toy::FakeServer::Traits traits;
      traits.replica = replica;
      traits.last_ones = &last_ones;
      traits.reports = {{"client_encoding", encoding}, {"standard_conforming_strings", "on"}};
      traits.on_sql = [this, replica](std::string_view sql, char) {
        if (!sql.starts_with("SELECT pg_catalog.set_config"))
          told.push_back((replica ? "r: " : "p: ") + std::string(sql));
      };
      return std::make_unique<toy::FakeServer>(++pid, nullptr, std::move(traits));
    };
    connect_primary = [line] { return line(false); };
    pool = std::make_unique<ToyPool>(*core, 1, connect_primary);
    pool->connect_replica = [line] { return line(true); };
    pool->piece = piece;
    client = open();
  }
  std::unique_ptr<ToyClient> open() {
    PooledCore::Client who;
    who.number = ++number;
    who.secret.fill(static_cast<char>('0' + number));
    auto made = std::make_unique<ToyClient>(*core, *pool, who);
    made->say(toy::startup("user\0me\0"sv));
    settle(*made);
    made->out.clear();
    return made;
  }
  void settle(ToyClient& made) {
    for (bool moved = true; moved;) {
      moved = pool->turn();
      moved = made.turn() || moved;
    }
  }
  // The types of what is heard.
  std::string say(std::string_view bytes) {
    client->say(bytes);
    settle(*client);
    return types(std::exchange(client->out, {}));
  }
  std::vector<std::string> heard() { return std::exchange(told, {}); }
  static std::string types(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) {
      const Message message = read_message(bytes, 1U << 30);
      REQUIRE(message.found == Found::whole);
      out += message.type;
      bytes.remove_prefix(message.size());
    }
    return out;
  }

  std::shared_ptr<const PooledCore> core;
  decltype(ToyPool::connect_replica) connect_primary;
  std::unique_ptr<ToyPool> pool;
  std::vector<std::string> told;
  unsigned last_ones = 0;  // primaries that end too
  std::uint32_t pid = 100;
  std::uint32_t number = 0;
  std::unique_ptr<ToyClient> client;
};

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("each unit of work goes where it may, however it is cut") {
  struct Case {
    std::string bytes;
    Told statements;
    Told transactions;
  };
  const std::string large = "SELECT '" + std::string(70'000, 'x') + "'";
  const std::vector<Case> cases{
      {query("SELECT 1"), {"r: SELECT 1"}, {"p: SELECT 1"}},
      {query("INSERT x"), {"p: INSERT x"}, {"p: INSERT x"}},
      {query("SELECT f()"), {"p: SELECT f()"}, {"p: SELECT f()"}},
      {query("SELECT 1") + query("INSERT x") + query("SELECT 2"),
       {"r: SELECT 1", "p: INSERT x", "p: SELECT 2"},  // what comes with a write stays with it
       {"p: SELECT 1", "p: INSERT x", "p: SELECT 2"}},
      {query("SELECT 1") + query("SELECT 2"), {"r: SELECT 1", "r: SELECT 2"}, {"p: SELECT 1", "p: SELECT 2"}},
      {query("BEGIN READ ONLY") + query("SELECT f()") + query("COMMIT") + query("INSERT x"),
       {"r: BEGIN READ ONLY", "r: SELECT f()", "r: COMMIT", "p: INSERT x"},
       {"r: BEGIN READ ONLY", "r: SELECT f()", "r: COMMIT", "p: INSERT x"}},
      {query("BEGIN") + query("SELECT 1") + query("COMMIT") + query("SELECT 2"),
       {"p: BEGIN", "p: SELECT 1", "p: COMMIT"},
       {"p: BEGIN", "p: SELECT 1", "p: COMMIT"}},
      {run("SELECT 1"), {"r: SELECT 1"}, {"p: SELECT 1"}},
      {run("INSERT x"), {"p: INSERT x"}, {"p: INSERT x"}},
      {run("BEGIN READ ONLY") + run("SELECT 1") + run("COMMIT") + run("INSERT x"),
       {"r: BEGIN READ ONLY", "r: SELECT 1", "r: COMMIT", "p: INSERT x"},
       {"r: BEGIN READ ONLY", "r: SELECT 1", "r: COMMIT", "p: INSERT x"}},
      {run("SELECT 1") + run("INSERT x") + run("SELECT 2"),
       {"r: SELECT 1", "p: INSERT x", "p: SELECT 2"},
       {"p: SELECT 1", "p: INSERT x", "p: SELECT 2"}},
      // One write makes the batch one.
      {parse("", "SELECT 1") + bind("") + kExecute + parse("", "INSERT x") + bind("") + kExecute + kSync,
       {"p: SELECT 1", "p: INSERT x"},
       {"p: SELECT 1", "p: INSERT x"}},
      {parse("", "SELECT 1") + bind("") + kExecute + parse("", "SELECT 2") + bind("") + kExecute + kSync,
       {"r: SELECT 1", "r: SELECT 2"},
       {"p: SELECT 1", "p: SELECT 2"}},
      {parse("", "BEGIN READ ONLY") + bind("") + kExecute + parse("", "SELECT 2") + bind("") + kExecute +
           kSync + run("COMMIT"),
       {"r: BEGIN READ ONLY", "r: SELECT 2", "r: COMMIT"},
       {"r: BEGIN READ ONLY", "r: SELECT 2", "r: COMMIT"}},
      {parse("", "SELECT 1") + bind("") + kExecute + parse("", "BEGIN READ ONLY") + bind("") + kExecute +
           kSync + run("COMMIT"),
       {"p: SELECT 1", "p: BEGIN READ ONLY", "p: COMMIT"},
       {"p: SELECT 1", "p: BEGIN READ ONLY", "p: COMMIT"}},
      // Who wants answers before the batch ends.
      {parse("", "SELECT 1") + bind("") + kExecute + bare('H') + kSync, {"p: SELECT 1"}, {"p: SELECT 1"}},
      {parse("a", "SELECT 1") + describe("a") + kSync + bind("a") + kExecute + kSync,
       {"r: SELECT 1"},
       {"p: SELECT 1"}},
      {parse("a", "INSERT x") + describe("a") + kSync + bind("a") + kExecute + kSync,
       {"p: INSERT x"},
       {"p: INSERT x"}},
      {parse("a", "SELECT 1") + bind("a") + kExecute + kSync, {"r: SELECT 1"}, {"p: SELECT 1"}},
      {parse("", "SELECT 1") + kSync + bind("") + kExecute + kSync, {"r: SELECT 1"}, {"p: SELECT 1"}},
      {query("fail"), {}, {}},
      {query(""), {"p: "}, {"p: "}},
      {query(large), {"p: " + large}, {"p: " + large}},
      {query("LISTEN x") + query("SELECT 1"), {"p: LISTEN x", "p: SELECT 1"}, {"p: LISTEN x", "p: SELECT 1"}},
  };
  for (const auto split : {kStatements, kTransactions}) {
    for (const Case& one : cases) {
      std::string expected;
      for (const std::size_t piece : {std::size_t{16384}, std::size_t{1}, std::size_t{2}, std::size_t{3},
                                      std::size_t{7}, std::size_t{11}, std::size_t{29}}) {
        if (piece < 7 && one.bytes.size() > 10'000) continue;
        Scene scene(split, piece);
        INFO(one.bytes.substr(0, 300) << " in pieces of " << piece);
        const std::string heard = scene.say(one.bytes);
        Told told = scene.heard();
        std::erase(told, "p: fail");
        // A transaction's end is waited for: then reads go elsewhere again.
        const Told& wanted = split == kStatements ? one.statements : one.transactions;
        if (one.bytes.find("BEGIN"s + '\0') != std::string::npos) {
          REQUIRE(told.size() == 4);
          told.pop_back();
        }
        CHECK(told == wanted);
        CHECK(scene.client->began == scene.client->ended);
        if (expected.empty()) expected = heard;
        CHECK(heard == expected);
      }
    }
  }
}

TEST_CASE("a cut at every byte changes nothing") {
  struct Unit {
    std::string bytes;
    std::string heard;
    Told told;
  };
  const std::vector<Unit> units{
      {query("SELECT 1"), "DCZ", {"r: SELECT 1"}},
      {run("SELECT 2"), "12DCZ", {"r: SELECT 2"}},
      {query("INSERT x"), "CZ", {"p: INSERT x"}},
      {parse("a", "SELECT 3") + bind("a") + kExecute + kSync, "12DCZ", {"r: SELECT 3"}},
      {bind("a") + kExecute + kSync, "2DCZ", {"r: SELECT 3"}},
      {query("BEGIN READ ONLY"), "CZ", {"r: BEGIN READ ONLY"}},
      {run("SELECT 4"), "12DCZ", {"r: SELECT 4"}},
      {query("COMMIT"), "CZ", {"r: COMMIT"}},
      {query("SELECT 5") + run("SELECT 6"), "DCZ12DCZ", {"r: SELECT 5", "r: SELECT 6"}},
      {query("SELECT 7") + run("INSERT z"), "DCZ12CZ", {"r: SELECT 7", "p: INSERT z"}},
      {run("INSERT y"), "12CZ", {"p: INSERT y"}},
      {query("SELECT writes"), "DCZ", {"r: SELECT writes", "p: SELECT writes"}},
      {run("SELECT conflict"), "12DCZ", {"r: SELECT conflict", "p: SELECT conflict"}},
  };
  Scene scene(kStatements);
  scene.say(parse("a", "SELECT 3") + kSync);
  scene.say(bare('C', "Sa\0"sv) + kSync);
  for (std::size_t cut = 0; cut < 100; ++cut) {
    for (const Unit& unit : units) {
      const std::size_t at = std::min(cut, unit.bytes.size());
      INFO(unit.told.front() << " cut at " << at);
      const std::string heard = scene.say(unit.bytes.substr(0, at));
      CHECK(heard + scene.say(unit.bytes.substr(at)) == unit.heard);
      CHECK(scene.heard() == unit.told);
    }
    scene.say(bare('C', "Sa\0"sv) + kSync);
  }
}

TEST_CASE("a statement is prepared wherever it is run") {
  Scene scene(kStatements);
  CHECK(scene.say(parse("a", "SELECT 1") + kSync) == "1Z");
  CHECK(scene.say(query("BEGIN")) == "CZ");
  CHECK(scene.say(bind("a") + kExecute + kSync) == "2DCZ");
  CHECK(scene.say(query("COMMIT")) == "CZ");
  CHECK(scene.say(bind("a") + kExecute + kSync) == "2DCZ");
  CHECK(scene.heard() == Told{"p: BEGIN", "p: SELECT 1", "p: COMMIT", "r: SELECT 1"});
}

TEST_CASE("a client whose text is not surely read stays on the primary") {
  SECTION("backslashes in strings") {
    Scene scene(kStatements);
    CHECK(scene.say(query("SET standard_conforming_strings off")) == "SCZ");
    CHECK(scene.say(query("SELECT 1")) == "DCZ");
    CHECK(scene.say(query("SET standard_conforming_strings on")) == "SCZ");
    CHECK(scene.say(query("SELECT 2")) == "DCZ");
    CHECK(scene.heard() == Told{"p: SET standard_conforming_strings off", "p: SELECT 1",
                                "p: SET standard_conforming_strings on", "r: SELECT 2"});
  }
  SECTION("an encoding of other letters") {
    for (const char* encoding : {"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004", "?"}) {
      Scene scene(kStatements, 16384, Role::primary, encoding);
      CHECK(scene.say(query("SELECT 1")) == "DCZ");
      CHECK(scene.heard() == Told{"p: SELECT 1"});
    }
    for (const char* encoding : {"UTF8", "SQL_ASCII", "LATIN1", "WIN1252", "KOI8R", "EUC_JP", "ISO_8859_5"}) {
      Scene scene(kStatements, 16384, Role::primary, encoding);
      CHECK(scene.say(query("SELECT 1")) == "DCZ");
      CHECK(scene.heard() == Told{"r: SELECT 1"});
    }
  }
  SECTION("a pin") {
    Scene scene(kStatements);
    CHECK(scene.say(query("CREATE TEMP TABLE t ()")) == "CZ");
    CHECK(scene.say(query("SELECT 1")) == "DCZ");
    CHECK(scene.heard().back() == "p: SELECT 1");
  }
}

TEST_CASE("who writes is known, and whose reads depend on it") {
  Scene scene(kStatements);
  CHECK(scene.client->wrote == 0);  // by its login
  scene.say(query("SELECT 1"));
  CHECK(scene.client->wrote == 0);
  CHECK(scene.client->session().want().role == Role::replica);
  CHECK(scene.client->session().want().causal);
  scene.say(query("INSERT x"));
  CHECK(scene.client->wrote == 1);
  CHECK(scene.client->session().want().role == Role::primary);
  CHECK_FALSE(scene.client->session().want().causal);
  scene.say(run("INSERT x"));
  CHECK(scene.client->wrote == 2);
}

TEST_CASE("a reader's listener gives replicas, whatever is asked") {
  Scene scene(ReadWriteSplit::disabled, 16384, Role::replica);
  CHECK(scene.say(query("SELECT 1")) == "DCZ");
  CHECK(scene.say(query("INSERT x") + query("SELECT f()")) == "EZDCZ");
  CHECK(scene.heard() == Told{"r: SELECT 1", "r: INSERT x", "r: SELECT f()"});
  CHECK(scene.client->wrote == 0);
  CHECK_FALSE(scene.client->session().want().causal);
}

TEST_CASE("a read of a reader's listener finds another server when its own ends") {
  const std::size_t piece = GENERATE(std::size_t{16384}, std::size_t{1});
  const std::string bytes = GENERATE(query("SELECT last"), run("SELECT last"));
  Scene scene(ReadWriteSplit::disabled, piece, Role::replica);
  scene.pool->connect_replica = scene.connect_primary;  // when the replica is gone
  SECTION("and the client sees nothing of it") {
    CHECK(scene.say(bytes) == (bytes.front() == 'Q' ? "DCZ" : "12DCZ"));
    CHECK(scene.heard() == Told{"r: SELECT last", "p: SELECT last"});
    CHECK(scene.client->again == 1);
  }
  SECTION("unless something else is under way behind it") {
    CHECK(scene.say(query("SELECT last") + query("SELECT 1")) == "EZEZ");
    CHECK(scene.client->again == 0);
  }
  CHECK(scene.client->began == scene.client->ended);
  CHECK(scene.client->session().at_rest());
}

TEST_CASE("what a reader's server refuses is the client's to know") {
  const std::string sql = GENERATE("SELECT conflict"s, "SELECT writes"s);
  Scene scene(ReadWriteSplit::disabled, 16384, Role::replica);
  CHECK(scene.say(query(sql)) == "EZ");
  CHECK(scene.heard() == Told{"r: " + sql});
}

TEST_CASE("what a replica could not do the primary does, once, and the client sees nothing of it") {
  const std::string sql = GENERATE("SELECT conflict"s, "SELECT writes"s, "SELECT last"s, "SELECT crash"s);
  const std::size_t piece = GENERATE(std::size_t{16384}, std::size_t{1}, std::size_t{9});
  INFO(sql << " in pieces of " << piece);
  SECTION("a query") {
    Scene scene(kStatements, piece);
    CHECK(scene.say(query(sql)) == "DCZ");
    CHECK(scene.heard() == Told{"r: " + sql, "p: " + sql});
    CHECK(scene.client->again == 1);
    CHECK(scene.client->wrote == 1);
    CHECK(scene.client->began == scene.client->ended);
    CHECK(scene.client->session().at_rest());
    CHECK(scene.say(query("SELECT 1")) == "DCZ");
    CHECK(scene.heard() == Told{"r: SELECT 1"});
  }
  SECTION("a batch") {
    Scene scene(kStatements, piece);
    CHECK(scene.say(run(sql)) == "12DCZ");
    CHECK(scene.heard() == Told{"r: " + sql, "p: " + sql});
    CHECK(scene.client->began == scene.client->ended);
    CHECK(scene.say(run("SELECT 1")) == "12DCZ");
  }
  SECTION("a prepared statement") {
    Scene scene(kStatements, piece);
    CHECK(scene.say(parse("a", sql) + kSync) == "1Z");
    for (int i = 0; i < 3; ++i) {
      CHECK(scene.say(bind("a") + kExecute + kSync) == "2DCZ");
      CHECK(scene.heard() == Told{"r: " + sql, "p: " + sql});
    }
    CHECK(scene.client->began == scene.client->ended);
  }
  SECTION("other parameters than the primary has from others") {
    Scene scene(kStatements, piece);
    auto other = scene.open();
    other->say(query("SET TimeZone Mars"));
    scene.settle(*other);
    CHECK(scene.say(query(sql)) == "DCZ");
    CHECK(scene.say(query("SHOW TimeZone")) == "DCZ");
  }
}

TEST_CASE("a read whose server stops finds one that does not, past others that stop with it") {
  const std::size_t piece = GENERATE(std::size_t{16384}, std::size_t{1});
  const std::string bytes = GENERATE(query("SELECT last"), run("SELECT last"));
  const std::string shown = bytes.front() == 'Q' ? "" : "12";  // where it is not held back
  Scene scene(kStatements, piece);
  SECTION("in the end") {
    scene.last_ones = kMostRuns - 2;
    CHECK(scene.say(bytes) == shown + "DCZ");
    CHECK(scene.heard().size() == kMostRuns);
    CHECK(scene.client->again == kMostRuns - 1);
  }
  SECTION("but is not sent on for ever") {
    scene.last_ones = kMostRuns - 1;
    CHECK(scene.say(bytes) == shown + "EZ");
    CHECK(scene.heard().size() == kMostRuns);
    CHECK(scene.last_ones == 0);
  }
  SECTION("unless something else is under way behind it") {
    scene.last_ones = 1;
    CHECK(scene.say(bytes + query("INSERT x")) == shown + "EZEZ");
    CHECK(scene.client->again == 1);
  }
  CHECK(scene.client->began == scene.client->ended);
  CHECK(scene.client->session().at_rest());
  CHECK(scene.say(query("SELECT 1")) == "DCZ");
}

TEST_CASE("a Sync behind a read that is lost is answered too") {
  Scene scene(kStatements);
  CHECK(scene.say(query("SELECT last") + kSync) == "EZEZ");
  CHECK(scene.client->began == scene.client->ended);
  CHECK(scene.say(query("SELECT 1")) == "DCZ");
}

TEST_CASE("what is behind it waits, and is done in order") {
  Scene scene(kStatements);
  CHECK(scene.say(query("SELECT writes") + query("INSERT x") + query("SELECT 1")) == "DCZCZDCZ");
  CHECK(scene.heard() == Told{"r: SELECT writes", "p: SELECT writes", "p: INSERT x", "p: SELECT 1"});
}

TEST_CASE("an error that the client may have seen something before is its own") {
  SECTION("in a transaction") {
    Scene scene(kStatements);
    CHECK(scene.say(query("BEGIN READ ONLY")) == "CZ");
    CHECK(scene.say(query("SELECT writes")) == "EZ");
    CHECK(scene.say(query("ROLLBACK")) == "CZ");
    CHECK(scene.client->again == 0);
  }
  SECTION("behind another unit") {
    Scene scene(kStatements);
    scene.client->say(query("SELECT 1") + query("SELECT writes"));
    scene.settle(*scene.client);
    CHECK(Scene::types(scene.client->out) == "DCZEZ");
    CHECK(scene.client->again == 0);
  }
  SECTION("any other error") {
    Scene scene(kStatements);
    CHECK(scene.say(query("SELECT 1; SELECT 1")) == "DCZ");
    CHECK(scene.say(run("SELECT 1") + bind("nobody's") + kSync) == "12DCZEZ");
    CHECK(scene.client->again == 0);
  }
}

TEST_CASE("no primary for what a replica could not do is one error, and the client goes on") {
  Scene scene(kStatements);
  auto holder = scene.open();
  holder->say(query("BEGIN"));
  scene.settle(*holder);
  const std::string bytes = GENERATE(query("SELECT writes"), run("SELECT writes"));
  CHECK(scene.say(bytes).empty());
  REQUIRE(scene.client->waits());
  CHECK_FALSE(scene.client->session().at_rest());
  scene.client->not_lent(Failure::overloaded, {});
  CHECK(scene.say(query("SELECT 1")) == "EZDCZ");
  CHECK(scene.client->began == scene.client->ended);
}

TEST_CASE("a replica that is lost with several units is one error of each, and the client goes on") {
  Scene scene(kStatements);
  CHECK(scene.say(query("SELECT last") + query("SELECT 1")) == "EZEZ");
  CHECK(scene.say(query("SELECT 1")) == "DCZ");
  CHECK(scene.client->again == 0);
}

TEST_CASE("a client that leaves while its unit is to be run again leaves in peace") {
  Scene scene(kStatements);
  auto holder = scene.open();
  holder->say(query("BEGIN"));
  scene.settle(*holder);
  CHECK(scene.say(query("SELECT writes")).empty());
  REQUIRE(scene.client->waits());
  scene.client.reset();
  holder->say(query("COMMIT"));
  scene.settle(*holder);
  CHECK(Scene::types(holder->out) == "CZCZ");
}
