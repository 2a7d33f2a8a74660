// The second port of a PostgreSQL listener, whose clients get replicas: a listener of its own to the proxy.
#include <catch2/catch.hpp>

#include "world.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

struct Readers : World {
  Readers() {
    policies = {database_policy()};
    listener()["postgresql"]["readPort"] = 5433;
  }
};

std::string value_of(const json& container, const std::string& name) {
  for (const auto& variable : container.at("env")) {
    if (variable.at("name") == name) return variable.at("value");
  }
  return "";
}

}  // namespace

TEST_CASE("readers are a listener of their own, with the same servers and the same files") {
  const json listeners = config_of(Readers().injected())["listeners"];
  REQUIRE(listeners.size() == 2);
  json expected = listeners[0];
  expected["name"] = "shop-data.db-read";
  expected["port"] = 5433;
  expected["unixSocket"] = "/run/ambassador/shop-data/db.sock/.s.PGSQL.5433";
  expected["sql"]["servers"] = "Replicas";
  CHECK(listeners[1] == expected);
  CHECK(listeners[1]["sql"]["credentialsFolder"] == "/etc/ambassador-secrets/shop-data.db");
  CHECK_FALSE(listeners[0]["sql"].contains("servers"));
}

TEST_CASE("the lag holds for readers, and for the split where there is one") {
  Readers world;
  auto& block = world.listener()["postgresql"];
  block["maxLag"] = "1s";
  json listeners = config_of(world.injected())["listeners"];
  CHECK_FALSE(listeners[0]["sql"].contains("maxLag"));
  CHECK(listeners[1]["sql"]["maxLag"] == "1s");
  block["readWriteSplit"] = "Statements";
  block["causalReads"] = "Disabled";
  listeners = config_of(world.injected())["listeners"];
  CHECK(listeners[0]["sql"]["maxLag"] == "1s");
  CHECK(listeners[0]["sql"]["readWriteSplit"] == "Statements");
  CHECK(listeners[0]["sql"]["causalReads"] == false);
  CHECK(listeners[1]["sql"]["maxLag"] == "1s");
  CHECK_FALSE(listeners[1]["sql"].contains("readWriteSplit"));
  CHECK_FALSE(listeners[1]["sql"].contains("causalReads"));
}

TEST_CASE("a split without a port for readers is one listener") {
  Readers world;
  world.listener()["postgresql"] = {{"pooling", "Transaction"}, {"readWriteSplit", "ReadOnlyTransactions"}};
  const json listeners = config_of(world.injected())["listeners"];
  REQUIRE(listeners.size() == 1);
  CHECK(listeners[0]["sql"]["readWriteSplit"] == "ReadOnlyTransactions");
}

TEST_CASE("the application finds its readers' port by the variables that the policy names") {
  Readers world;
  world.listener()["env"].update(
      {{"readUrl", "READ_URL"}, {"readJdbcUrl", "READ_JDBC_URL"}, {"readPort", "READ_PORT"}});
  const json app = world.injected()["spec"]["containers"][0];
  CHECK(value_of(app, "READ_URL") == "postgresql://127.0.0.1:5433/shop?sslmode=disable");
  CHECK(value_of(app, "READ_JDBC_URL") == "jdbc:postgresql://127.0.0.1:5433/shop?sslmode=disable");
  CHECK(value_of(app, "READ_PORT") == "5433");
  CHECK(value_of(app, "DATABASE_URL") == "postgresql://127.0.0.1:5432/shop?sslmode=disable");
}

TEST_CASE(
    "a port of readers that the application declares is an obstacle, and so is that of another policy") {
  Readers world;
  world.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 5433}}};
  CHECK(world.decided().cause == "PortInUse");
  CHECK(world.decided().message ==
        "container redis-client declares port 5433, the postgresql.readPort of listener shop-data.db: move "
        "one of "
        "them to another port (spec.listeners[].postgresql.readPort of the policy)");
  world.pod["spec"]["containers"][0].erase("ports");
  world.policies.push_back(queue_policy());
  world.policies[1]["spec"].erase("podSelector");
  world.listener(1)["port"] = 5433;
  CHECK(world.decided().message ==
        "listener shop-data.db has postgresql.readPort 5433, which is also that of listener queue.amqp: give "
        "one "
        "of them another port, or name fewer policies");
}

TEST_CASE("readers come to a running Pod at once, and leave it; their variables need a new one") {
  Readers world;
  const auto readers = world.listener();
  world.listener()["postgresql"].erase("readPort");
  const json pod = world.injected();
  world.listener() = readers;
  auto state = world.live(pod);
  CHECK_FALSE(state->stale);
  REQUIRE_FALSE(state->wanted_annotations.empty());
  CHECK_THAT(state->wanted_annotations[0].second, Catch::Contains("\"shop-data.db-read\""));
  world.listener()["env"]["readPort"] = "READ_PORT";
  CHECK(world.live(pod)->stale_because == "variables");

  const json with_readers = Readers().injected();
  world.listener()["env"].erase("readPort");
  world.listener()["postgresql"].erase("readPort");
  state = world.live(with_readers);
  REQUIRE_FALSE(state->wanted_annotations.empty());
  CHECK_THAT(state->wanted_annotations[0].second, !Catch::Contains("\"shop-data.db-read\""));
}

TEST_CASE("where its listener waits for another Secret, a port of readers stays as it is, or waits too") {
  Readers world;
  const json pod = world.injected();
  world.listener()["credentials"]["secretRef"]["name"] = "other";
  world.listener()["postgresql"]["maxLag"] = "1s";
  const auto held = world.live(pod);
  CHECK(held->stale_because == "secrets");
  for (const auto& [key, value] : held->wanted_annotations) {
    if (key == "ambassador.dev/config") CHECK(json::parse(value)["listeners"] == config_of(pod)["listeners"]);
  }
  Readers without;
  without.listener()["postgresql"].erase("readPort");
  const json older = without.injected();
  const auto waits = world.live(older);
  CHECK(waits->stale_because == "secrets");
  for (const auto& [key, value] : waits->wanted_annotations) {
    if (key == "ambassador.dev/config") CHECK(json::parse(value)["listeners"].size() == 1);
  }
}

TEST_CASE("a second pass over a Pod with readers changes nothing") {
  const Readers world;
  const json pod = defaulted(world.injected());
  CHECK(world.live(pod)->wanted_annotations.empty());
  CHECK_FALSE(world.live(pod)->stale);
  CHECK(world.decide_on(pod).patch.empty());
}
