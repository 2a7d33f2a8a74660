// The program as a whole, between PostgreSQL clients and a real PostgreSQL 15 that asks for SCRAM.
#include "test/component/proxy/app/postgresql.hpp"

#include <atomic>
#include <future>

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using namespace std::chrono_literals;

TEST_CASE("libpq works through the proxy, which logs in with the Secret") {
  const auto server = shop();
  for (const char* pooling : {"Session", "Transaction"}) {
    INFO(pooling);
    PostgresqlProxy proxy(*server, {.pooling = pooling, .connections = 8});
    proxy.secret.replace(kRight);
    proxy.start();
    const Ran who = psql("127.0.0.1", proxy.port, "anybody", "select current_user");
    CHECK(who.errors == "");
    CHECK(who.output == "app\n");
    CHECK(psql(proxy.socket_folder(), proxy.port, "anybody", "select 6 * 7").output == "42\n");
    CHECK_THAT(psql("127.0.0.1", proxy.port, "anybody", "select 1 / 0").errors, Contains("division by zero"));
    CHECK(psql("127.0.0.1", proxy.port, "anybody",
               "create temp table seen (n int); insert into seen values (1), (2); select count(*) from seen")
              .output == "2\n");
    for (const char* mode : {"simple", "extended", "prepared"}) {
      INFO(mode);
      Process pgbench({kPrograms + "pgbench", "-n", "-M", mode, "-c", "8", "-j", "2", "-t", "50", "-h",
                       "127.0.0.1", "-p", std::to_string(proxy.port), "-U", "anybody", "-f",
                       proxy.folder.write("script.sql", "\\set n random(1, 1000)\nselect :n + 1;\n"),
                       "shop"});
      CHECK(pgbench.wait(60s) == 0);
      CHECK_THAT(pgbench.output(), Contains("number of transactions actually processed: 400/400") &&
                                       Contains("number of failed transactions: 0"));
    }
  }
}

TEST_CASE("the status page, status and the metrics know the pool") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {.connections = 2}, 1);
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient one = proxy.client();
  SqlClient two = proxy.client();
  SqlClient three = proxy.client();
  REQUIRE(three.open());
  CHECK(one.query("begin") == "");
  CHECK(two.query("listen news") == "");
  auto waits = std::async(std::launch::async, [&] { return three.query("select 'here'"); });
  CHECK(eventually([&] { return proxy.pool()["waiting"] == 1; }));
  const auto pool = proxy.pool();
  CHECK(pool["inUse"] == 2);
  CHECK(pool["idle"] == 0);
  CHECK(pool["opening"] == 0);
  CHECK(pool["limit"] == 2);
  CHECK(pool["loginsFailed"] == 0);
  CHECK(pool["pins"]["listen"] == 1);
  CHECK(pool["pins"]["hold"] == 0);
  CHECK_THAT(proxy.status(), Contains("pool: 2 in use, 0 idle, 0 opening of 2  waiting 1") &&
                                 Contains("pinned by: listen 1"));
  CHECK(one.query("rollback") == "");
  CHECK(waits.get() == "here");
  CHECK(proxy.pool()["idle"] == 1);
  const std::string metrics = proxy.metrics();
  for (const char* line :
       {"ambassador_proxy_pool_connections{listener=\"test.db\",state=\"in_use\"} 1",
        "ambassador_proxy_pool_connections{listener=\"test.db\",state=\"idle\"} 1",
        "ambassador_proxy_pool_connections{listener=\"test.db\",state=\"opening\"} 0",
        "ambassador_proxy_pool_connections_limit{listener=\"test.db\"} 2",
        "ambassador_proxy_pool_waiting_clients{listener=\"test.db\"} 0",
        "ambassador_proxy_pool_wait_duration_seconds_count{listener=\"test.db\"}",
        "ambassador_proxy_pool_logins_failed_total{listener=\"test.db\"} 0",
        "ambassador_proxy_pool_pins_total{listener=\"test.db\",reason=\"listen\"} 1",
        "ambassador_proxy_pool_transactions_total{listener=\"test.db\",pinned=\"yes\"} 1"}) {
    CHECK_THAT(metrics, Contains(line));
  }
}

TEST_CASE("with Passthrough the client itself logs in") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {.pooling = "Session", .authentication = "Passthrough"});
  proxy.start();
  CHECK(psql("127.0.0.1", proxy.port, "app", "select current_user", {{"PGPASSWORD", "pencil"}}).output ==
        "app\n");
  const Ran wrong = psql("127.0.0.1", proxy.port, "app", "select 1", {{"PGPASSWORD", "crayon"}});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.errors, Contains("password authentication failed for user \"app\""));
}

TEST_CASE("the server is believed by its CA and its name, and files are taken when they change") {
  const auto server = shop("hostssl all all 127.0.0.1/32 scram-sha-256\n", {"ssl=on"});
  std::ostringstream right;
  right << std::ifstream(server->certificate()).rdbuf();
  Folder other;
  Process made({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "2", "-subj", "/CN=stranger", "-keyout", other.file("key"), "-out",
                other.file("crt")});
  REQUIRE(made.wait() == 0);
  std::ostringstream wrong;
  wrong << std::ifstream(other.file("crt")).rdbuf();
  Volume ca;
  ca.replace({{"ca.crt", right.str()}});
  // The certificate that the Secret need not have.
  PostgresqlProxy proxy(*server, {.server_tls = "{mode: VerifyFull, caFile: " + ca.file("ca.crt") +
                                                ", certificateFile: " + ca.file("tls.crt") +
                                                ", keyFile: " + ca.file("tls.key") + "}"});
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient client = proxy.client();
  REQUIRE(client.greeting == "");
  const std::string ask = "select pid from pg_stat_ssl where ssl and pid = pg_backend_pid()";
  const std::string before = client.query(ask);
  CHECK(before != "");

  ca.replace({{"ca.crt", "no certificate\n"}});
  CHECK(proxy.says("TLS files refused, those before go on"));
  CHECK(client.query(ask) == before);
  CHECK(proxy.client().open());

  ca.replace({{"ca.crt", wrong.str()}});
  CHECK(eventually([&] { return client.query("select 1") != "1"; }));
  CHECK_THAT(client.query("select 1"), StartsWith("ERROR 57P03"));
  CHECK(proxy.says("the server's certificate: self-signed certificate"));

  ca.replace({{"ca.crt", right.str()}});
  CHECK(eventually([&] { return client.query("select 1") == "1"; }));
  CHECK(client.query(ask) != before);
}

TEST_CASE("a wrong password in the Secret is told to clients as the server said it") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {});
  proxy.secret.replace({{"username", "app"}, {"password", "crayon"}});
  proxy.start();
  CHECK(proxy.client().greeting == "FATAL 28P01 password authentication failed for user \"app\"");
  CHECK(proxy.says("a backend refuses the login"));
  CHECK(proxy.pool()["loginsFailed"] >= 1);
  CHECK(proxy.process->errors().find("crayon") == std::string::npos);
  // As soon as it is right, without a wait.
  proxy.secret.replace(kRight);
  CHECK(proxy.says("credentials taken"));
  SqlClient client = proxy.client();
  CHECK(client.greeting == "");
  CHECK(client.query("select current_user") == "app");
}

TEST_CASE("without credentials clients are told so, and the files are taken when they are there") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {});
  SECTION("of an empty Secret") {
    proxy.secret.replace({});
  }
  SECTION("of one without a password") {
    proxy.secret.replace({{"username", "app"}});
  }
  SECTION("of one whose password is empty") {
    proxy.secret.replace({{"username", "app"}, {"password", "\n"}});
  }
  proxy.start();
  CHECK_THAT(proxy.client().greeting, StartsWith("FATAL 57P03 the proxy has no user name and password"));
  CHECK_THAT(psql("127.0.0.1", proxy.port, "anybody", "select 1").errors, Contains("FATAL"));
  CHECK(proxy.says("no credentials"));
  CHECK_THAT(proxy.process->errors(),
             Contains("test.db") && (Contains("/username") || Contains("/password")));
  CHECK_THAT(proxy.process->errors(), Contains("give the Secret the keys username and password"));
  proxy.secret.replace(kRight);
  CHECK(eventually([&] { return proxy.client().open(); }));
}

TEST_CASE("a password is rotated while clients come and go, and none fails afterwards") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {});
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient stays = proxy.client();
  REQUIRE(stays.query("select 1") == "1");
  SqlClient works = proxy.client();
  REQUIRE(works.query("begin") == "");
  const std::string old = works.query("select pg_backend_pid()");

  REQUIRE(server->sql("alter user app password 'crayon'"));
  const std::string when = server->asked("select now()").value();
  proxy.secret.replace({{"username", "app"}, {"password", "crayon"}});
  REQUIRE(proxy.says("credentials taken"));
  std::atomic<int> failed{0};
  std::vector<std::thread> load;
  for (int i = 0; i < 4; ++i) {
    load.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        SqlClient client = proxy.client();
        if (!client.open() || client.query("select current_user") != "app") ++failed;
      }
    });
  }
  for (std::thread& thread : load) thread.join();
  CHECK(failed == 0);
  // What was under way goes on; then its connection goes, as the idle ones went.
  CHECK(works.query("select pg_backend_pid()") == old);
  CHECK(works.query("commit") == "");
  CHECK(stays.query("select 1") == "1");
  CHECK(works.query("select 1") == "1");
  CHECK(eventually([&] {
    return server->asked("select count(*) from pg_stat_activity where usename = 'app' and backend_start < '" +
                         when + "'") == "0";
  }));

  // Half of a Secret is no reason to forget what works.
  proxy.secret.replace({{"username", "app"}, {"password", ""}});
  CHECK(proxy.says("credentials refused, those before go on"));
  CHECK(proxy.client().open());
  // Another user is another account.
  REQUIRE(server->sql("create user other password 'chalk'"));
  proxy.secret.replace({{"username", "other"}, {"password", "chalk\r\n"}});
  CHECK(eventually([&] { return stays.query("select current_user") == "other"; }));
}

TEST_CASE("while the server is away clients wait within bounds, and go on when it is back") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {});
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient client = proxy.client();
  REQUIRE(client.query("select 1") == "1");
  server->stop();
  const auto begun = std::chrono::steady_clock::now();
  CHECK(eventually([&] { return client.query("select 1").starts_with("ERROR 57P03"); }));
  CHECK(std::chrono::steady_clock::now() - begun < 10s);
  const auto asked = std::chrono::steady_clock::now();
  CHECK_THAT(client.query("select 1"), StartsWith("ERROR 57P03"));
  CHECK(std::chrono::steady_clock::now() - asked < 8s);  // timeouts.queue: 2s
  server->start();
  CHECK(eventually([&] { return client.query("select 1") == "1"; }));
}

TEST_CASE("a reload changes how many server connections there are, and clients stay") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {.connections = 1}, 1);
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient one = proxy.client();
  SqlClient two = proxy.client();
  REQUIRE(one.query("begin") == "");
  CHECK_THAT(two.query("select 1"), StartsWith("ERROR 53300"));
  proxy.configure({.connections = 2});
  CHECK(eventually([&] { return proxy.pool()["limit"] == 2; }));
  CHECK(two.query("select 2") == "2");
  CHECK(one.query("select 1") == "1");
  proxy.configure({.pooling = "Session", .connections = 3});
  CHECK(eventually([&] { return proxy.pool()["limit"] == 3; }));
  CHECK(one.query("commit") == "");
  CHECK(two.query("select 2") == "2");
  // Who was let in with the proxy's login has none any more.
  proxy.configure({.pooling = "Session", .authentication = "Passthrough", .connections = 2});
  CHECK(eventually([&] { return proxy.pool()["limit"] == 2; }));
  CHECK_THAT(two.query("select 2"), Contains(" 57P03 "));
  CHECK(eventually([&] {  // that refusal is remembered for a second
    return psql("127.0.0.1", proxy.port, "app", "select 3", {{"PGPASSWORD", "pencil"}}).output == "3\n";
  }));
}

TEST_CASE("paused first, a server is stopped and started again and no client gets an error") {
  const auto server = shop();
  PostgresqlProxy proxy(*server, {});
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient busy = proxy.client(), client = proxy.client();
  CHECK(busy.query("begin") == "");
  CHECK(client.query("select 1") == "1");
  const auto admin = std::to_string(proxy.admin);
  const Ran early = run({"pause", "test.db", "--wait", "100ms", "--port", admin});
  CHECK(early.code == 1);
  CHECK_THAT(early.errors, Contains("1 server is still in use, the pause goes on"));
  CHECK(busy.query("commit") == "");
  CHECK(run({"pause", "--port", admin}).code == 0);
  CHECK_THAT(proxy.status(), Contains("pool, paused: 0 in use"));
  auto waits = std::async(std::launch::async, [&] { return client.query("select 2"); });
  server->stop();
  std::this_thread::sleep_for(2500ms);  // longer than timeouts.queue
  CHECK(proxy.pool()["waiting"] == 1);
  server->start();
  CHECK(run({"resume", "--port", admin}).code == 0);
  CHECK(waits.get() == "2");
  CHECK(busy.query("select 3") == "3");
  const Ran wrong = run({"pause", "nobody", "--port", admin});
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.errors, Contains("'nobody' is none that lends servers"));
}

TEST_CASE("a standby that is promoted is written to at once, and the old primary never again") {
  const auto first = shop();
  PostgresqlServer15 second(StandbyOf{*first});
  PostgresqlProxy proxy({first->port(), second.port()}, {});
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient client = proxy.client();
  const std::string where = "select inet_server_port()";
  CHECK(client.query("create table t (n int)") == "");
  CHECK(client.query("insert into t values (1)") == "");
  CHECK(client.query(where) == std::to_string(first->port()));
  CHECK(eventually([&] { return second.asked("select pg_is_in_recovery()") == "t"; }));
  first->stop();
  auto waits = std::async(std::launch::async, [&] { return client.query("insert into t values (2)"); });
  CHECK(eventually([&] { return proxy.pool()["waiting"] == 1; }));
  REQUIRE(second.promote());
  CHECK(waits.get() == "");
  CHECK(client.query(where) == std::to_string(second.port()));
  first->start();  // it takes writes, too, on its old timeline
  for (int n = 3; n < 8; ++n) {
    std::this_thread::sleep_for(300ms);
    SqlClient another = proxy.client();
    CHECK(another.query("insert into t values (" + std::to_string(n) + ")") == "");
    CHECK(another.query(where) == std::to_string(second.port()));
  }
}

TEST_CASE("what still comes of data whose COPY was refused meets no other client") {
  namespace toy = ambassador::proxy::postgresql::test;
  const auto server = shop();
  PostgresqlProxy proxy(*server, {.connections = 1}, 1);
  proxy.secret.replace(kRight);
  proxy.start();
  SqlClient one = proxy.client(), other = proxy.client();
  std::string rows;
  while (rows.size() < 600'000) rows += "7\n";
  const std::string data = toy::bare('d', rows);
  const std::size_t half = data.size() / 2;
  std::string copy;
  ambassador::proxy::postgresql::write_query(copy, "copy nowhere from stdin");
  for (int round = 0; round < 3; ++round) {
    one.send(copy + data.substr(0, half));
    CHECK_THAT(one.answer(), Contains("42P01"));
    auto seven = std::async(std::launch::async, [&] { return other.query("select 7"); });
    one.send(data.substr(half) + toy::bare('c'));
    CHECK(seven.get() == "7");
    CHECK(one.query("select 8") == "8");
  }
}
