// What a running Pod should carry now.
#include <catch2/catch.hpp>

#include "world.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

/// The value that is wanted for an annotation; empty where none is.
std::string wanted(const LiveState& state, const std::string& name) {
  for (const auto& [key, value] : state.wanted_annotations) {
    if (key == "ambassador.dev/" + name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("a Pod fresh from admission needs no patch and is not stale") {
  World world;
  world.pod["metadata"]["labels"] = {{"app", "shop"}};
  world.policies.push_back(queue_policy());
  world.listener()["unixSocket"] = "Enabled";
  world.annotation("log-level") = "Debug";
  for (const bool native : {true, false}) {
    world.installation.container_mode =
        native ? api::ContainerMode::native_sidecar : api::ContainerMode::container;
    const auto state = world.live(defaulted(world.injected()));
    REQUIRE(state.has_value());
    CHECK(state->wanted_annotations.empty());
    CHECK_FALSE(state->stale);
    CHECK(state->stale_because.empty());
    CHECK(state->gone.empty());
  }
}

TEST_CASE("a Pod that is not injected has no live state") {
  const World world;
  CHECK_FALSE(world.live(world.pod).has_value());
  json forged = world.pod;
  forged["metadata"]["annotations"]["ambassador.dev/status"] = R"({"policies": []})";
  forged["metadata"]["labels"]["ambassador.dev/injected"] = "true";
  CHECK_FALSE(world.live(forged).has_value());
}

TEST_CASE("a backend that joins reaches the Pod by its configuration alone") {
  World world;
  const json pod = world.injected();
  world.policies[0]["status"]["listeners"][0]["backends"].push_back(
      {{"name", "redis-st-2"}, {"host", "redis-st-2.redis-svc.shop.svc.cluster.local"}, {"port", 6379}});
  const auto state = world.live(pod);
  REQUIRE(state->wanted_annotations.size() == 1);
  CHECK(json::parse(wanted(*state, "config"))["listeners"][0]["backends"].size() == 3);
  CHECK_FALSE(state->stale);
}

TEST_CASE("a backend that changes its readiness or its address changes nothing") {
  World world;
  const json pod = world.injected();
  auto& backend = world.policies[0]["status"]["listeners"][0]["backends"][0];
  backend["ready"] = true;
  backend["address"] = "10.1.2.3:6379";
  world.policies[0]["status"]["conditions"] = json::array();
  CHECK(world.live(pod)->wanted_annotations.empty());
}

TEST_CASE("a changed policy reaches the Pod, with its new hash; what needs a restart is stale") {
  World world;
  const json pod = world.injected();
  world.listener()["timeouts"]["queue"] = "9s";
  auto state = world.live(pod);
  CHECK(json::parse(wanted(*state, "config"))["listeners"][0]["timeouts"]["queue"] == "9s");
  CHECK_FALSE(wanted(*state, "status").empty());
  CHECK_FALSE(state->stale);

  json after = pod;
  for (const auto& [key, value] : state->wanted_annotations) after["metadata"]["annotations"][key] = value;
  CHECK(world.live(after)->wanted_annotations.empty());

  world.listener()["env"]["host"] = "REDIS_HOST";
  CHECK(world.live(after)->stale_because == "variables");
}

TEST_CASE("what only a new Pod can take makes it stale, and says what") {
  struct Row {
    void (*change)(World&);
    const char* because;
  };
  const auto row = GENERATE(values<Row>({
      {[](World& w) { w.installation.proxy_image = "registry.example/ambassador-proxy:0.2.0"; }, "image"},
      {[](World& w) { w.installation.resources.memory_limit = api::Quantity::parse("1Gi"); }, "resources"},
      {[](World& w) { w.installation.oldest_node_minor = 28; }, "mode"},
      {[](World& w) { w.listener()["unixSocket"] = "Enabled"; }, "sockets"},
      {[](World& w) { w.listener()["env"]["url"] = "OTHER_URL"; }, "variables"},
      {[](World& w) {
         w.policies.push_back(queue_policy("new"));
         w.policies[1]["spec"].erase("podSelector");
       },
       "policies"},
      {[](World& w) {
         w.policies[0]["spec"]["environments"] = {{{"name", "development"}}};
       },
       "environment"},
  }));
  World world;
  const json pod = world.injected();
  row.change(world);
  const auto state = world.live(pod);
  CHECK(state->stale);
  CHECK(state->stale_because == row.because);
}

TEST_CASE("the environment is pinned: relabelling the namespace moves no running Pod") {
  World world;
  auto& spec = world.policies[0]["spec"];
  spec["environments"] =
      json::parse(R"([{"name": "production", "namespaceSelector": {"matchLabels": {"env": "p"}}}])");
  spec["listeners"][0]["upstreams"] = json::parse(R"([
      {"environments": ["production"], "hosts": [{"host": "big", "port": 1}]}, {"hosts": [{"host": "small", "port": 1}]}])");
  const json pod = world.injected();
  world.namespace_labels = {{"env", "p"}};
  const auto state = world.live(pod);
  CHECK(state->wanted_annotations.empty());
  CHECK(state->stale_because == "environment");
}

TEST_CASE("a policy that is deleted leaves its part as it was, while others go on changing") {
  World world;
  world.policies.push_back(queue_policy());
  world.annotation("policy") = "shop-data,queue";
  const json pod = world.injected();
  const json deleted = world.policies[0];
  world.policies.erase(world.policies.begin());
  world.listener()["timeouts"]["queue"] = "9s";
  const auto state = world.live(pod);
  CHECK(state->gone == std::vector<api::PolicyKey>{{"shop", "shop-data"}});
  const json config = json::parse(wanted(*state, "config"));
  CHECK(config["listeners"][0] == config_of(pod)["listeners"][0]);
  CHECK(config["listeners"][1]["timeouts"]["queue"] == "9s");

  world.policies.clear();
  CHECK(world.live(pod)->wanted_annotations.empty());
  CHECK(world.live(pod)->gone.size() == 2);
}

TEST_CASE("a policy that is not valid any more leaves its part as it was") {
  World world;
  const json pod = world.injected();
  world.listener()["port"] = 80;
  CHECK(world.live(pod)->wanted_annotations.empty());
  CHECK(world.live(pod)->gone.empty());
}

TEST_CASE("a listener that moves onto a port of the application is left out") {
  World world;
  world.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 8080}}};
  const json pod = world.injected();
  world.listener()["port"] = 8080;
  const auto state = world.live(pod);
  CHECK_FALSE(json::parse(wanted(*state, "config")).contains("listeners"));
}

TEST_CASE("a new socket waits for a new Pod, which has the folder") {
  World world;
  const json pod = world.injected();
  world.listener()["unixSocket"] = "Enabled";
  CHECK_THAT(wanted(*world.live(pod), "config"), !Catch::Contains(".sock"));
}

TEST_CASE("annotations of a running Pod are followed where they are valid") {
  const World world;
  json pod = world.injected();
  pod["metadata"]["annotations"]["ambassador.dev/log-level"] = "Debug";
  CHECK(json::parse(wanted(*world.live(pod), "config"))["logLevel"] == "Debug");
  pod["metadata"]["annotations"]["ambassador.dev/log-level"] = "Loud";
  CHECK(world.live(pod)->wanted_annotations.empty());
}

TEST_CASE("a foreign edit of the configuration is put right") {
  const World world;
  json pod = world.injected();
  pod["metadata"]["annotations"]["ambassador.dev/config"] = "{}";
  CHECK(wanted(*world.live(pod), "config") ==
        world.injected()["metadata"]["annotations"]["ambassador.dev/config"].get<std::string>());
}

TEST_CASE("a Pod with a configuration version that is not spoken here is left alone") {
  const World world;
  json pod = world.injected();
  auto record = *read_record(pod);
  record.config_version = config::kVersion + 1;
  pod["metadata"]["annotations"]["ambassador.dev/status"] = record_text(record);
  const auto state = world.live(pod);
  CHECK(state->wanted_annotations.empty());
  CHECK(state->stale_because == "configVersion");
}

TEST_CASE("a classic ambassador is told to shut down when every other container has ended") {
  World world;
  world.installation.container_mode = api::ContainerMode::container;
  world.pod["spec"]["restartPolicy"] = "Never";
  json pod = world.injected();
  const auto status = [](int code) {
    return json{{"name", "redis-client"}, {"state", {{"terminated", {{"exitCode", code}}}}}};
  };
  CHECK_FALSE(applications_ended(pod));
  pod["status"]["containerStatuses"] = {{{"name", "redis-client"}, {"state", {{"running", json::object()}}}}};
  CHECK_FALSE(applications_ended(pod));
  pod["status"]["containerStatuses"] = json::array({status(1)});
  CHECK(applications_ended(pod));
  CHECK(json::parse(wanted(*world.live(pod), "config"))["shutdown"] == true);

  pod["spec"]["restartPolicy"] = "OnFailure";  // it will be started again
  CHECK_FALSE(applications_ended(pod));
  pod["status"]["containerStatuses"] = json::array({status(0)});
  CHECK(applications_ended(pod));
  pod["spec"]["restartPolicy"] = "Always";
  CHECK_FALSE(applications_ended(pod));

  world.installation.container_mode = api::ContainerMode::native_sidecar;
  json native = world.injected();
  native["status"]["containerStatuses"] = json::array({status(0)});
  CHECK_FALSE(applications_ended(native));  // the kubelet ends it
}

TEST_CASE("the record on a Pod is read back as it was written") {
  const World world;
  const auto record = read_record(world.injected());
  REQUIRE(record.has_value());
  REQUIRE(record->policies.size() == 1);
  CHECK(record->policies[0].key == api::PolicyKey{"shop", "shop-data"});
  CHECK(record->policies[0].hash == world.known()[0]->parsed.policy->hash);
  CHECK(record->image == world.installation.proxy_image);
  CHECK(record->config_version == config::kVersion);
  CHECK(record_text(*record) ==
        world.injected()["metadata"]["annotations"]["ambassador.dev/status"].get<std::string>());
}

TEST_CASE("what selects a Pod, for those who count") {
  World world;
  world.policies.push_back(queue_policy());
  const auto all = world.known();
  CHECK_FALSE(selects(*all[0]->parsed.policy, "shop", {}, {{"app", "shop"}}));  // no podSelector
  CHECK(selects(*all[1]->parsed.policy, "shop", {}, {{"app", "shop"}}));
  CHECK_FALSE(selects(*all[1]->parsed.policy, "other", {}, {{"app", "shop"}}));
  CHECK_FALSE(selects(*all[1]->parsed.policy, "shop", {}, {}));
}
