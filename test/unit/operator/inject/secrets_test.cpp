// PostgreSQL and Redis listeners of an injected Pod: configuration, variables, and Secrets that the
// ambassador alone mounts.
#include <algorithm>
#include <catch2/catch.hpp>

#include "world.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

struct Database : World {
  Database() { policies = {database_policy()}; }
};

/// The volume of this name, or null.
json volume(const json& pod, const std::string& name) {
  for (const auto& one : pod.at("spec").value("volumes", json::array())) {
    if (one.at("name") == name) return one;
  }
  return nullptr;
}

bool mounts_secrets(const json& container) {
  const json mounts = container.value("volumeMounts", json::array());
  return std::ranges::any_of(mounts, [](const json& one) { return one.at("name") == "ambassador-secrets"; });
}

std::string value_of(const json& container, const std::string& name) {
  for (const auto& variable : container.at("env")) {
    if (variable.at("name") == name) return variable.at("value");
  }
  return "";
}

}  // namespace

TEST_CASE("a PostgreSQL listener is configured by the places of its files") {
  const json listener = config_of(Database().injected())["listeners"][0];
  CHECK(listener == json::parse(R"({
    "name": "shop-data.db", "protocol": "PostgreSQL", "port": 5432,
    "unixSocket": "/run/ambassador/shop-data/db.sock/.s.PGSQL.5432",
    "backends": [{"host": "pg.example", "port": 5432}], "maxClients": 1000,
    "sql": {"database": "shop", "credentialsFolder": "/etc/ambassador-secrets/shop-data.db",
            "maxServerConnections": 5, "pooling": "Transaction"},
    "serverTLS": {"mode": "VerifyFull", "caFile": "/etc/ambassador-secrets/shop-data.db/ca.crt",
                  "certificateFile": "/etc/ambassador-secrets/shop-data.db/tls.crt",
                  "keyFile": "/etc/ambassador-secrets/shop-data.db/tls.key"}})"));
}

TEST_CASE("Secrets are mounted in the ambassador alone, each key under its listener's name") {
  Database world;
  world.pod["spec"]["initContainers"] = {{{"name", "migrate"}, {"image", "m"}}};
  const json pod = world.injected();
  CHECK(volume(pod, "ambassador-secrets") == json::parse(R"({"name": "ambassador-secrets", "projected": {
    "defaultMode": 292, "sources": [
    {"secret": {"name": "shop-db", "items": [{"key": "username", "path": "shop-data.db/username"},
                                             {"key": "password", "path": "shop-data.db/password"}]}},
    {"secret": {"name": "shop-db", "optional": true, "items": [{"key": "tls.crt", "path": "shop-data.db/tls.crt"},
                                                               {"key": "tls.key", "path": "shop-data.db/tls.key"}]}},
    {"secret": {"name": "company", "items": [{"key": "root.pem", "path": "shop-data.db/ca.crt"}]}}]}})"));
  const json& mounts = own_container(pod)["volumeMounts"];
  CHECK(std::ranges::count(mounts, json{{"name", "ambassador-secrets"},
                                        {"mountPath", "/etc/ambassador-secrets"},
                                        {"readOnly", true}}) == 1);
  CHECK_FALSE(mounts_secrets(pod["spec"]["containers"][0]));
  CHECK_FALSE(mounts_secrets(pod["spec"]["initContainers"][1]));
}

TEST_CASE("no name or content of a Secret is in a variable") {
  const json pod = Database().injected();
  const std::string variables = pod["spec"]["containers"][0]["env"].dump();
  CHECK_THAT(variables, !Catch::Contains("shop-db") && !Catch::Contains("password"));
}

TEST_CASE("the application finds its database by URL, by JDBC URL, by host and port") {
  Database world;
  const auto app = [&] { return world.injected()["spec"]["containers"][0]; };
  CHECK(value_of(app(), "DATABASE_URL") == "postgresql://127.0.0.1:5432/shop?sslmode=disable");
  CHECK(value_of(app(), "JDBC_URL") == "jdbc:postgresql://127.0.0.1:5432/shop?sslmode=disable");
  CHECK(value_of(app(), "PGHOST") == "127.0.0.1");
  CHECK(value_of(app(), "PGPORT") == "5432");
  world.listener()["database"] = "caf\xc3\xa9/a b?";
  CHECK(value_of(app(), "DATABASE_URL") ==
        "postgresql://127.0.0.1:5432/caf%C3%A9%2Fa%20b%3F?sslmode=disable");
  world.listener().erase("database");
  CHECK(value_of(app(), "DATABASE_URL") == "postgresql://127.0.0.1:5432/?sslmode=disable");
}

TEST_CASE("only what a listener needs is mounted") {
  Database world;
  auto& db = world.listener();
  const auto paths = [&] {
    std::string all;
    const json secrets = volume(world.injected(), "ambassador-secrets");
    if (secrets.is_null()) return all;
    for (const auto& source : secrets["projected"]["sources"]) {
      for (const auto& item : source["secret"]["items"]) {
        all += item["path"].get<std::string>().substr(std::string("shop-data.db/").size()) + " ";
      }
    }
    return all;
  };
  db["tls"]["mode"] = "Disabled";
  db["tls"].erase("ca");
  CHECK(paths() == "username password ");
  db["tls"]["mode"] = "Require";
  CHECK(paths() == "username password tls.crt tls.key ");
  db["postgresql"] = {{"authentication", "Passthrough"}};
  CHECK(paths() == "tls.crt tls.key ");
  CHECK_FALSE(config_of(world.injected())["listeners"][0]["sql"].contains("credentialsFolder"));
  db.erase("credentials");
  CHECK(paths().empty());
  CHECK_FALSE(mounts_secrets(own_container(world.injected())));
  CHECK(config_of(world.injected())["listeners"][0]["serverTLS"] == json{{"mode", "Require"}});
}

TEST_CASE("a Redis listener logs in with a password, and as whom the Secret says if it does") {
  World world;
  json& cache = world.policies[0]["spec"]["listeners"][0];
  cache["credentials"] = {{"secretRef", {{"name", "cache-login"}}}};
  CHECK(volume(world.injected(), "ambassador-secrets")["projected"]["sources"] == json::parse(R"([
    {"secret": {"name": "cache-login", "items": [{"key": "password", "path": "shop-data.cache/password"}]}},
    {"secret": {"name": "cache-login", "optional": true,
                "items": [{"key": "username", "path": "shop-data.cache/username"}]}}])"));
  cache["tls"] = {{"mode", "VerifyFull"},
                  {"ca", {{"secretRef", {{"name", "company"}, {"key", "root.pem"}}}}}};
  const json pod = world.injected();
  CHECK(volume(pod, "ambassador-secrets")["projected"]["sources"] == json::parse(R"([
    {"secret": {"name": "cache-login", "items": [{"key": "password", "path": "shop-data.cache/password"}]}},
    {"secret": {"name": "cache-login", "optional": true, "items": [
      {"key": "username", "path": "shop-data.cache/username"}, {"key": "tls.crt", "path": "shop-data.cache/tls.crt"},
      {"key": "tls.key", "path": "shop-data.cache/tls.key"}]}},
    {"secret": {"name": "company", "items": [{"key": "root.pem", "path": "shop-data.cache/ca.crt"}]}}])"));
  const json listener = config_of(pod)["listeners"][0];
  CHECK(listener["redis"] == json{{"credentialsFolder", "/etc/ambassador-secrets/shop-data.cache"}});
  CHECK(listener["serverTLS"] ==
        json::parse(R"({"mode": "VerifyFull", "caFile": "/etc/ambassador-secrets/shop-data.cache/ca.crt",
                        "certificateFile": "/etc/ambassador-secrets/shop-data.cache/tls.crt",
                        "keyFile": "/etc/ambassador-secrets/shop-data.cache/tls.key"})"));
}

TEST_CASE("what clients prove and are shown lies beside it, and needs a new Pod") {
  Database world;
  const json before = world.injected();
  world.listener()["clientAuth"] = {{"mode", "Password"}, {"secretRef", {{"name", "clients"}}}};
  world.listener()["listenerTLS"] = {{"secretRef", {{"name", "own"}}}};
  CHECK(world.live(before)->stale_because == "secrets");
  const json pod = world.injected();
  const std::string sources = volume(pod, "ambassador-secrets")["projected"]["sources"].dump();
  CHECK_THAT(sources, Catch::Contains(R"({"key":"password","path":"shop-data.db/clients/password"})") &&
                          Catch::Contains(R"({"key":"tls.key","path":"shop-data.db/clients/tls.key"})"));
  const json listener = config_of(pod)["listeners"][0];
  CHECK(listener["sql"]["clientCredentialsFolder"] == "/etc/ambassador-secrets/shop-data.db/clients");
  CHECK(listener["listenerTLS"] ==
        json::parse(R"({"certificateFile": "/etc/ambassador-secrets/shop-data.db/clients/tls.crt",
                        "keyFile": "/etc/ambassador-secrets/shop-data.db/clients/tls.key"})"));
}

TEST_CASE("what clients of a Redis listener prove lies there too, and the user need not be named") {
  World world;
  const json before = world.injected();
  world.policies[0]["spec"]["listeners"][0]["clientAuth"] = {{"mode", "Password"},
                                                             {"secretRef", {{"name", "cache-clients"}}}};
  CHECK(world.live(before)->stale_because == "secrets");
  const json pod = world.injected();
  CHECK(volume(pod, "ambassador-secrets")["projected"]["sources"] == json::parse(R"([
    {"secret": {"name": "cache-clients",
                "items": [{"key": "password", "path": "shop-data.cache/clients/password"}]}},
    {"secret": {"name": "cache-clients", "optional": true,
                "items": [{"key": "username", "path": "shop-data.cache/clients/username"}]}}])"));
  CHECK(config_of(pod)["listeners"][0]["redis"] ==
        json{{"clientCredentialsFolder", "/etc/ambassador-secrets/shop-data.cache/clients"}});
}

TEST_CASE("a Redis listener shows its clients the certificate of a Secret") {
  World world;
  world.policies[0]["spec"]["listeners"][0]["listenerTLS"] = {{"secretRef", {{"name", "cache-own"}}}};
  const json pod = world.injected();
  CHECK(volume(pod, "ambassador-secrets")["projected"]["sources"] == json::parse(R"([
    {"secret": {"name": "cache-own", "items": [
      {"key": "tls.crt", "path": "shop-data.cache/clients/tls.crt"},
      {"key": "tls.key", "path": "shop-data.cache/clients/tls.key"}]}}])"));
  CHECK(config_of(pod)["listeners"][0]["listenerTLS"] ==
        json::parse(R"({"certificateFile": "/etc/ambassador-secrets/shop-data.cache/clients/tls.crt",
                        "keyFile": "/etc/ambassador-secrets/shop-data.cache/clients/tls.key"})"));
}

TEST_CASE("the listeners of all policies share one volume, under names of their own") {
  Database world;
  auto cluster = database_policy();
  cluster["kind"] = "ClusterAmbassadorPolicy";
  cluster["metadata"].erase("namespace");
  auto& db = cluster["spec"]["listeners"][0];
  db["port"] = 5433;
  db.erase("env");
  db.erase("tls");
  world.policies.push_back(cluster);
  const json pod = world.injected();
  const std::string sources = volume(pod, "ambassador-secrets")["projected"]["sources"].dump();
  CHECK_THAT(sources, Catch::Contains("\"cluster.shop-data.db/password\"") &&
                          Catch::Contains("\"shop-data.db/password\""));
  CHECK(config_of(pod)["listeners"][0]["sql"]["credentialsFolder"] ==
        "/etc/ambassador-secrets/cluster.shop-data.db");
}

TEST_CASE("a volume with the name of ours is an obstacle") {
  Database world;
  world.pod["spec"]["volumes"] = {{{"name", "ambassador-secrets"}, {"emptyDir", json::object()}}};
  CHECK(world.decided().cause == "VolumeNameTaken");
}

TEST_CASE("a Pod with Secrets fresh from admission needs no patch, and a second pass changes nothing") {
  const Database world;
  const json pod = defaulted(world.injected());
  CHECK(world.live(pod)->wanted_annotations.empty());
  CHECK_FALSE(world.live(pod)->stale);
  CHECK(world.decide_on(pod).patch.empty());
}

TEST_CASE("what needs no other file reaches a running Pod at once") {
  Database world;
  const json pod = world.injected();
  world.listener()["pool"]["maxServerConnections"] = 7;
  const auto state = world.live(pod);
  CHECK_FALSE(state->stale);
  REQUIRE(state->wanted_annotations.size() == 2);
  CHECK_THAT(state->wanted_annotations[0].second, Catch::Contains("\"maxServerConnections\":7"));
}

TEST_CASE("another Secret needs a new Pod: the listener stays as it is, and the Pod is stale") {
  Database world;
  const json pod = world.injected();
  const auto config = [&] {
    const auto state = world.live(pod);
    for (const auto& [key, value] : state->wanted_annotations) {
      if (key == "ambassador.dev/config") return json::parse(value);
    }
    return config_of(pod);
  };
  world.listener()["credentials"]["secretRef"]["name"] = "other";
  world.listener()["pool"]["maxServerConnections"] = 7;
  CHECK(world.live(pod)->stale_because == "secrets");
  CHECK(config()["listeners"] == config_of(pod)["listeners"]);

  // Another listener of the same policy goes on changing, and one that is new waits.
  auto more = database_policy()["spec"]["listeners"][0];
  more["name"] = "reports";
  more["port"] = 5433;
  more.erase("env");
  world.policies[0]["spec"]["listeners"].push_back(more);
  world.policies[0]["spec"]["listeners"].push_back(seed_policy()["spec"]["listeners"][0]);
  const json now = config();
  REQUIRE(now["listeners"].size() == 2);
  CHECK(now["listeners"][0] == config_of(pod)["listeners"][0]);
  CHECK(now["listeners"][1]["name"] == "shop-data.cache");
}

TEST_CASE("a Secret that is needed no more is let go by a new Pod, while the running one follows") {
  Database world;
  const json pod = world.injected();
  world.listener()["tls"] = {{"mode", "Require"}};
  auto state = world.live(pod);
  CHECK(state->stale_because == "secrets");
  CHECK_THAT(state->wanted_annotations[0].second, Catch::Contains("\"mode\":\"Require\""));
  world.listener().erase("tls");
  world.listener().erase("credentials");
  world.listener()["postgresql"] = json::object();
  state = world.live(pod);
  CHECK(state->stale_because == "secrets");
  CHECK_THAT(state->wanted_annotations[0].second, Catch::Contains("\"authentication\":\"Passthrough\""));
}

TEST_CASE("a Pod without Secrets is as it was before there were any") {
  const World world;
  CHECK(volume(world.injected(), "ambassador-secrets").is_null());
  CHECK_FALSE(read_record(world.injected())->shape.contains("secrets"));
  CHECK_FALSE(world.live(world.injected())->stale);
}
