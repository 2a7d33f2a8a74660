// Clients that have to log in at the proxy, and may ask it for TLS: libpq, before a real PostgreSQL 15.
#include "test/component/proxy/app/postgresql.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const Secret kClients{{"username", "shopper"}, {"password", "crayon"}};

/// A certificate for localhost that vouches for itself, and its key.
Secret certificate(const std::string& organisation) {
  Folder folder;
  Process made({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "2", "-subj", "/O=" + organisation + "/CN=localhost", "-keyout",
                folder.file("key"), "-out", folder.file("crt")});
  REQUIRE(made.wait() == 0);
  const auto read = [&](const char* name) {
    std::ostringstream text;
    text << std::ifstream(folder.file(name)).rdbuf();
    return text.str();
  };
  return {{"tls.crt", read("crt")}, {"tls.key", read("key")}};
}

/// Its clients log in as kClients says, until `clients` is replaced.
struct Guarded {
  explicit Guarded(const PostgresqlServer15& server, const std::string& own_tls = {})
      : proxy(server, {.own_tls = own_tls, .more = ", clientCredentialsFolder: " + clients.path()}) {
    clients.replace(kClients);
    proxy.secret.replace(kRight);
  }
  [[nodiscard]] Ran ask(const std::string& password, const Process::Environment& more = {},
                        const std::string& user = "shopper", const std::string& host = "127.0.0.1") const {
    Process::Environment environment = more;
    environment["PGPASSWORD"] = password;
    return psql(host, proxy.port, user, "select current_user", environment);
  }

  Volume clients;
  PostgresqlProxy proxy;
};

}  // namespace

TEST_CASE("clients log in with a password of their own, and get the proxy's user at the server") {
  const auto server = shop();
  Guarded guarded(*server);
  guarded.proxy.start();
  CHECK(guarded.ask("crayon").output == "app\n");
  const Ran wrong = guarded.ask("pencil");
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.errors, Contains("password authentication failed for user \"shopper\""));
  // The right password of somebody else, and the user that the proxy itself is.
  CHECK_THAT(guarded.ask("crayon", {}, "app").errors,
             Contains("password authentication failed for user \"app\""));
  CHECK_THAT(guarded.ask("pencil", {}, "app").errors,
             Contains("password authentication failed for user \"app\""));
  const std::string log = guarded.proxy.process->errors();
  CHECK_THAT(log, !Contains("crayon") && !Contains("pencil"));
}

TEST_CASE("the clients' password may be a verifier, and is replaced while the proxy runs") {
  const auto server = shop();
  Guarded guarded(*server);
  guarded.proxy.start();
  SqlClient stays = guarded.proxy.client();  // it does not prove anything
  CHECK(stays.query("select 1") != "1");
  // As PostgreSQL keeps the password "pencil".
  const auto verifier = server->asked("select rolpassword from pg_authid where rolname = 'app'");
  REQUIRE(verifier);
  REQUIRE_THAT(*verifier, StartsWith("SCRAM-SHA-256$"));
  guarded.clients.replace({{"username", "shopper"}, {"password", *verifier}});
  CHECK(guarded.proxy.says("client credentials taken"));
  CHECK(eventually([&] { return guarded.ask("pencil").output == "app\n"; }));
  CHECK(guarded.ask("crayon").code == 2);
  // Half of a Secret is no reason to let nobody in, or everybody.
  guarded.clients.replace({{"username", "shopper"}});
  CHECK(guarded.proxy.says("client credentials refused, those before go on"));
  CHECK(guarded.ask("pencil").output == "app\n");
  CHECK(guarded.ask("crayon").code == 2);
}

TEST_CASE("as long as the clients' password lacks nobody is let in") {
  const auto server = shop();
  Guarded guarded(*server);
  guarded.clients.replace({{"username", "shopper"}, {"password", ""}});
  guarded.proxy.start();
  CHECK(guarded.proxy.says("no client credentials"));
  CHECK_THAT(guarded.ask("").errors, Contains("the proxy has no user name and password for its clients yet"));
  guarded.clients.replace(kClients);
  CHECK(eventually([&] { return guarded.ask("crayon").output == "app\n"; }));
}

TEST_CASE("clients who ask for TLS get it, may bind the login to it, and see a new certificate") {
  const auto server = shop();
  Volume own;
  const Secret first = certificate("first");
  own.replace(first);
  Guarded guarded(*server,
                  "{certificateFile: " + own.file("tls.crt") + ", keyFile: " + own.file("tls.key") + "}");
  guarded.proxy.start();
  CHECK(guarded.ask("crayon", {{"PGSSLMODE", "disable"}}).output == "app\n");
  const auto trusting = [&](const Secret& one) {
    const std::string file = guarded.proxy.folder.write("root.crt", one.at("tls.crt"));
    return guarded.ask(
        "crayon", {{"PGSSLMODE", "verify-full"}, {"PGSSLROOTCERT", file}, {"PGCHANNELBINDING", "require"}},
        "shopper", "localhost");
  };
  CHECK(trusting(first).output == "app\n");
  CHECK(guarded.ask("pencil", {{"PGSSLMODE", "require"}, {"PGCHANNELBINDING", "require"}}).code == 2);

  const Secret second = certificate("second");
  own.replace(second);
  CHECK(guarded.proxy.says("TLS files taken"));
  CHECK(eventually([&] { return trusting(second).output == "app\n"; }));
  CHECK_THAT(trusting(first).errors, Contains("certificate verify failed"));
  own.replace({{"tls.crt", second.at("tls.crt")}, {"tls.key", first.at("tls.key")}});
  CHECK(guarded.proxy.says("TLS files refused, those before go on"));
  CHECK(trusting(second).output == "app\n");
}

TEST_CASE("a certificate that is not there refuses the configuration, and names the file") {
  const auto server = shop();
  Guarded guarded(*server, "{certificateFile: /nowhere/tls.crt, keyFile: /nowhere/tls.key}");
  Process process({kProgram, "--config", guarded.proxy.folder.file("config.yaml")});
  CHECK(process.wait() == 1);
  CHECK_THAT(process.errors(), Contains("listeners.test.db.listenerTLS") && Contains("/nowhere/tls.crt"));
}
