// The program before a PostgreSQL 15 and its replica: which reads go there, and what they see.
#include <future>
#include <thread>

#include "test/component/proxy/app/postgresql.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using namespace std::chrono_literals;

namespace {

using Servers = std::vector<std::uint16_t>;

// A view: what a read may not call by itself.
const std::string kWhere = "select port from place";

struct Pair {
  Pair() : primary("host all all 127.0.0.1/32 scram-sha-256\n") {
    REQUIRE(primary.sql("create user app password 'pencil' superuser"));
    REQUIRE(primary.sql("create database shop owner app"));
    replica = std::make_unique<PostgresqlServer15>(StandbyOf{primary});
  }
  /// The replica replays commits so much later.
  void delays(const std::string& time) const {
    REQUIRE(replica->sql("alter system set recovery_min_apply_delay = '" + time + "'"));
    REQUIRE(replica->sql("select pg_reload_conf()"));
  }
  /// The replica replays nothing more, from when this returns: a delay is in force only when its replay
  /// process has read it, which nobody can see.
  void stops_replaying() const {
    REQUIRE(replica->sql("select pg_wal_replay_pause()"));
    REQUIRE(eventually([&] { return replica->asked("select pg_get_wal_replay_pause_state()") == "paused"; }));
  }
  [[nodiscard]] Servers ports() const { return {primary.port(), replica->port()}; }
  [[nodiscard]] std::string first() const { return std::to_string(primary.port()); }
  [[nodiscard]] std::string second() const { return std::to_string(replica->port()); }

  PostgresqlServer15 primary;
  std::unique_ptr<PostgresqlServer15> replica;
};

struct Scene {
  explicit Scene(const std::string& more = ", readWriteSplit: Statements", unsigned connections = 8)
      : proxy(pair.ports(), {.connections = connections, .more = ", database: shop" + more}) {
    proxy.secret.replace({{"username", "app"}, {"password", "pencil"}});
    proxy.start();
    client = std::make_unique<SqlClient>(proxy.port);
    REQUIRE(client->open());
    REQUIRE(pair.primary.port() != 0);
    Process made({"/usr/lib/postgresql/15/bin/psql", "-qXAtw", "-h", "127.0.0.1", "-p", pair.first(), "-U",
                  "app", "-d", "shop", "-c",
                  "create view place as select inet_server_port() as port; create table t (n int); insert "
                  "into t values (0)"},
                 {{"PGPASSWORD", "pencil"}});
    REQUIRE(made.wait() == 0);
    const bool replica_reads = reads_at(pair.second());
    INFO(client->query(kWhere) << "\n" << proxy.status());
    REQUIRE(replica_reads);
  }
  bool reads_at(const std::string& port) {
    return eventually([&] { return client->query(kWhere) == port; });
  }

  Pair pair;
  PostgresqlProxy proxy;
  std::unique_ptr<SqlClient> client;
};

}  // namespace

TEST_CASE("reads go to the replica and writes to the primary") {
  Scene scene;
  const std::string first = scene.pair.first(), second = scene.pair.second();
  SqlClient& client = *scene.client;
  for (int i = 0; i < 20; ++i) CHECK(client.query(kWhere) == second);
  CHECK(client.query("insert into t values (1) returning inet_server_port()") == first);
  CHECK(client.query("select inet_server_port()") == first);
  CHECK(client.query("begin") == "");
  CHECK(client.query(kWhere) == first);
  CHECK(client.query("commit") == "");
  CHECK(scene.reads_at(second));
  CHECK(client.query("begin read only") == "");
  CHECK(client.query("select inet_server_port()") == second);
  CHECK_THAT(client.query("insert into t values (1)"), StartsWith("ERROR 25006"));
  CHECK(client.query("rollback") == "");
  CHECK(scene.reads_at(second));

  CHECK(client.prepare("where", kWhere) == "");
  CHECK(client.prepare("write", "insert into t values (2) returning inet_server_port()") == "");
  CHECK(eventually([&] { return client.execute("where") == second; }));
  CHECK(client.execute("write") == first);
  CHECK(client.query("begin") == "");
  CHECK(client.execute("where") == first);
  CHECK(client.query("rollback") == "");
  CHECK(eventually([&] { return client.execute("where") == second; }));

  const auto backends = scene.proxy.listener()["backends"];
  CHECK(backends[0]["role"] == "primary");
  CHECK(backends[1]["role"] == "replica");
  CHECK(backends[1]["lagSeconds"] < 2);
  CHECK_THAT(scene.proxy.metrics(), Contains("ambassador_proxy_backend_lag_seconds{listener=\"test.db\"") &&
                                        Contains("ambassador_proxy_backend_primary{listener=\"test.db\""));
  CHECK_THAT(scene.proxy.status(), Contains(", primary") && Contains(", replica, "));
}

TEST_CASE("a client always reads what it wrote, however late the replica is") {
  const std::string delay = GENERATE("0", "30ms", "2s");
  Scene scene;
  scene.pair.delays(delay);
  SqlClient& client = *scene.client;
  REQUIRE(client.prepare("n", "select n from t") == "");
  for (int i = 1; i <= 1000; ++i) {
    REQUIRE(client.query("update t set n = " + std::to_string(i)) == "");
    REQUIRE(client.query("select n from t") == std::to_string(i));
    if (i % 50 == 0) std::this_thread::sleep_for(70ms);  // so that the replica comes near, or not
    REQUIRE(client.execute("n") == std::to_string(i));
  }
  CHECK(eventually([&] { return client.query(kWhere) == scene.pair.second(); }));
  CHECK(client.query("select n from t") == "1000");
}

TEST_CASE("without causal reads a client may read what was before") {
  Scene scene(", readWriteSplit: Statements, causalReads: false");
  scene.pair.stops_replaying();
  REQUIRE(scene.client->query("update t set n = 1") == "");
  CHECK(scene.client->query("select n from t") == "0");
  CHECK(scene.client->query(kWhere) == scene.pair.second());
}

TEST_CASE("a replica that is too far behind gets no reads") {
  Scene scene(", readWriteSplit: Statements, maxLag: 1s, causalReads: false");
  scene.pair.delays("1h");
  SqlClient writer(scene.proxy.port);
  const auto write = [&] { return writer.query("update t set n = n + 1"); };
  REQUIRE(write() == "");
  CHECK(scene.reads_at(scene.pair.first()));
  CHECK(scene.proxy.listener()["backends"][1]["lagSeconds"] >= 0.6);
  scene.pair.delays("0");
  CHECK(scene.reads_at(scene.pair.second()));
}

TEST_CASE("ReadOnlyTransactions: only what is begun so goes to the replica") {
  Pair pair;
  PostgresqlProxy proxy(pair.ports(), {.more = ", database: shop, readWriteSplit: ReadOnlyTransactions"});
  proxy.secret.replace({{"username", "app"}, {"password", "pencil"}});
  proxy.start();
  SqlClient client(proxy.port);
  CHECK(client.query("select 1") == "1");
  CHECK(eventually([&] {
    CHECK(client.query("begin read only; select 1") == "1");
    const std::string port = client.query("select inet_server_port()");
    CHECK(client.query("commit") == "");
    return port == pair.second();
  }));
  CHECK(client.query("select inet_server_port()") == pair.first());
  CHECK(client.query("begin; select inet_server_port()") == pair.first());
  CHECK(client.query("commit") == "");
}

TEST_CASE("the replica is gone: reads go to the primary, and back when it is there again") {
  Scene scene;
  scene.pair.replica->stop();
  for (int i = 0; i < 50; ++i) CHECK(scene.client->query(kWhere) == scene.pair.first());
  CHECK(scene.proxy.pool()["runAgain"] <= 1);
  scene.pair.replica->start();
  CHECK(scene.reads_at(scene.pair.second()));
}

TEST_CASE("the replica is promoted: it is written to and read from, and the old primary no more") {
  Scene scene;
  REQUIRE(scene.client->query("update t set n = 5") == "");
  REQUIRE(scene.reads_at(scene.pair.second()));
  scene.pair.primary.stop();
  CHECK(scene.client->query("select n from t") == "5");
  REQUIRE(scene.pair.replica->promote());
  CHECK(eventually([&] {
    return scene.client->query("update t set n = 6 returning inet_server_port()") == scene.pair.second();
  }));
  CHECK(scene.client->query("select n from t") == "6");
  CHECK(scene.client->query(kWhere) == scene.pair.second());
}

TEST_CASE("a read that a replica cancels for what it replays is run on the primary") {
  Scene scene;
  REQUIRE(scene.pair.replica->sql("alter system set max_standby_streaming_delay = '100ms'"));
  REQUIRE(scene.pair.replica->sql("select pg_reload_conf()"));
  SqlClient& writer = *scene.client;
  SqlClient reader(scene.proxy.port);
  REQUIRE(reader.query(kWhere) == scene.pair.second());
  // Reads for long enough that the rows it may still see are vacuumed.
  auto read = std::async(std::launch::async, [&] {
    return reader.query("select count(*) from t, generate_series(1, 3000000) s where s % 7 = t.n % 7 + 10");
  });
  std::this_thread::sleep_for(200ms);
  for (int i = 0; i < 20; ++i) {
    CHECK(writer.query("update t set n = n + 1") == "");
    CHECK(writer.query("vacuum t") == "");
    std::this_thread::sleep_for(30ms);
  }
  CHECK(read.get() == "0");
  CHECK(scene.proxy.pool()["runAgain"] <= 1);
}

TEST_CASE("a reader's listener gives the replica alone") {
  Scene scene(", servers: Replicas");
  CHECK(scene.client->query("select inet_server_port()") == scene.pair.second());
  CHECK_THAT(scene.client->query("insert into t values (1)"), StartsWith("ERROR 25006"));
  scene.pair.replica->stop();
  CHECK(scene.reads_at(scene.pair.first()));
}
