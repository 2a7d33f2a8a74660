// What an injected Pod looks like.
#include <catch2/catch.hpp>
#include <fstream>

#include "world.hpp"

#include "test/places.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

json variable(const std::string& name, const std::string& value) {
  return {{"name", name}, {"value", value}};
}

}  // namespace

TEST_CASE("the seed's Pod is injected exactly so") {
  std::ifstream in(SOURCE_DIR "/test/unit/operator/inject/seed_pod_injected.json");
  const json golden = json::parse(in);
  json after = World().injected();
  auto& annotations = after["metadata"]["annotations"];
  annotations["ambassador.dev/config"] = json::parse(annotations["ambassador.dev/config"].get<std::string>());
  annotations["ambassador.dev/status"] = json::parse(annotations["ambassador.dev/status"].get<std::string>());
  INFO(after.dump(2));
  CHECK(after == golden);
}

TEST_CASE("the ambassador is first among init containers, and everything else stays as it was") {
  World world;
  world.pod["spec"]["initContainers"] = {{{"name", "migrate"}, {"image", "m"}}};
  world.pod["spec"]["volumes"] = {{{"name", "data"}, {"emptyDir", json::object()}}};
  world.pod["metadata"]["annotations"]["other.example/a~b"] = "kept";
  world.pod["metadata"]["labels"] = {{"app", "shop"}};
  const json after = world.injected();
  CHECK(after["spec"]["initContainers"][0]["name"] == "ambassador-container");
  CHECK(after["spec"]["initContainers"][0]["restartPolicy"] == "Always");
  CHECK(after["spec"]["initContainers"][1]["name"] == "migrate");
  CHECK(after["spec"]["initContainers"][1]["env"] ==
        json::array({variable("REDIS_URL", "redis://127.0.0.1:6380")}));
  CHECK(after["spec"]["volumes"][0] == world.pod["spec"]["volumes"][0]);
  CHECK(after["metadata"]["annotations"]["other.example/a~b"] == "kept");
  CHECK(after["metadata"]["labels"] == json{{"app", "shop"}, {"ambassador.dev/injected", "true"}});
}

TEST_CASE("a Pod from a generator, without a name and without annotations, is injected by selector") {
  World world;
  world.policies = {queue_policy()};
  world.pod = json::parse(R"({"metadata": {"generateName": "shop-", "labels": {"app": "shop"}},
                              "spec": {"containers": [{"name": "app"}]}})");
  CHECK(world.decided().outcome == Outcome::injected);
  const json after = world.injected();
  CHECK(config_of(after)["listeners"][0]["name"] == "queue.amqp");
  CHECK(after["spec"]["containers"][0]["env"] ==
        json::array({variable("AMQP_HOST", "127.0.0.1"), variable("AMQP_PORT", "5672")}));
}

TEST_CASE("a Pod without any container is given one all the same") {
  World world;
  world.pod = json::parse(R"({"metadata": {"annotations": {"ambassador.dev/inject": "true"}}, "spec": {}})");
  const json after = world.injected();
  CHECK(after["spec"]["initContainers"].size() == 1);
}

TEST_CASE("the container passes Pod Security restricted by itself") {
  const json after = World().injected();
  const json& security = own_container(after)["securityContext"];
  CHECK(security["runAsNonRoot"] == true);
  CHECK(security["runAsUser"].get<int>() > 0);
  CHECK(security["allowPrivilegeEscalation"] == false);
  CHECK(security["privileged"] == false);
  CHECK(security["readOnlyRootFilesystem"] == true);
  CHECK(security["capabilities"] == json{{"drop", {"ALL"}}});
  CHECK(security["seccompProfile"] == json{{"type", "RuntimeDefault"}});
}

TEST_CASE("where API server or nodes are too old the ambassador is an ordinary container with a start gate") {
  World world;
  world.installation.oldest_node_minor = 28;
  world.pod["spec"]["initContainers"] = {{{"name", "migrate"}}};
  const auto decision = world.decided();
  const json after = world.injected();
  const json& own = after["spec"]["containers"][0];
  CHECK(own["name"] == "ambassador-container");
  CHECK_FALSE(own.contains("restartPolicy"));
  CHECK(own["lifecycle"]["postStart"]["exec"]["command"] ==
        json{"ambassador-proxy", "probe", "--wait", "120s", "--port", "19901"});
  CHECK(after["spec"]["containers"][1]["env"][0]["name"] == "REDIS_URL");
  CHECK_FALSE(after["spec"]["initContainers"][0].contains("env"));
  REQUIRE(decision.warnings.size() == 1);
  CHECK_THAT(decision.warnings[0], Catch::Contains("get no variables"));
  CHECK(after["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == "redis-client");
}

TEST_CASE("the container's form follows annotation, policy, installation and cluster, in this order") {
  World world;
  const auto native = [&] { return own_container(world.injected()).contains("restartPolicy"); };
  CHECK(native());
  world.installation.container_mode = api::ContainerMode::container;
  CHECK_FALSE(native());
  world.policies[0]["spec"]["proxy"] = {{"containerMode", "Auto"}};
  CHECK_FALSE(native());
  world.policies[0]["spec"]["proxy"] = {{"containerMode", "NativeSidecar"}};
  CHECK(native());
  world.annotation("container-mode") = "Container";
  CHECK_FALSE(native());
}

TEST_CASE("the application is the default container unless the Pod says otherwise") {
  World world;
  CHECK(world.injected()["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] ==
        "redis-client");
  world.pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] = "other";
  CHECK(world.injected()["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == "other");
}

TEST_CASE("a variable that the container sets itself stays, with a warning") {
  World world;
  auto& container = world.pod["spec"]["containers"][0];
  container["env"] = {{{"name", "REDIS_URL"}, {"value", "redis://mine"}},
                      {{"name", "A"}, {"value", "$(REDIS_URL)"}}};
  CHECK(world.injected()["spec"]["containers"][0]["env"] == container["env"]);
  const auto decision = world.decided();
  REQUIRE(decision.warnings.size() == 1);
  CHECK(decision.warnings[0] ==
        "container redis-client sets REDIS_URL itself, which stays; listener shop-data.cache would give "
        "redis://127.0.0.1:6380");
}

TEST_CASE("variables stand before the container's own, which may refer to them") {
  World world;
  world.pod["spec"]["containers"][0]["env"] = {{{"name", "A"}, {"value", "$(REDIS_URL)"}}};
  world.pod["spec"]["containers"][0]["envFrom"] = {{{"configMapRef", {{"name", "c"}}}}};
  const auto decision = world.decided();
  CHECK(world.injected()["spec"]["containers"][0]["env"][0]["name"] == "REDIS_URL");
  REQUIRE(decision.warnings.size() == 1);
  CHECK_THAT(decision.warnings[0], Catch::Contains("container redis-client has envFrom"));
}

TEST_CASE("Unix sockets are in a folder that the application can only read") {
  World world;
  world.listener()["unixSocket"] = "Enabled";
  const json after = world.injected();
  CHECK(config_of(after)["listeners"][0]["unixSocket"] == "/run/ambassador/shop-data/cache.sock");
  CHECK(own_container(after)["volumeMounts"][1] ==
        json{{"name", "ambassador-sockets"}, {"mountPath", "/run/ambassador"}});
  CHECK(after["spec"]["containers"][0]["volumeMounts"][0] ==
        json{{"name", "ambassador-sockets"}, {"mountPath", "/run/ambassador"}, {"readOnly", true}});
}

TEST_CASE(
    "requests and a memory limit are always there, and annotations win over policies over the installation") {
  World world;
  const auto resources = [&] { return own_container(world.injected())["resources"]; };
  CHECK(resources() ==
        json::parse(R"({"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}})"));
  world.installation.resources.cpu_limit = api::Quantity::parse("1");
  world.policies[0]["spec"]["proxy"]["resources"] = {{"limits", {{"memory", "16Mi"}}}};
  CHECK(resources() ==
        json::parse(
            R"({"requests": {"cpu": "50m", "memory": "16Mi"}, "limits": {"cpu": "1", "memory": "16Mi"}})"));
  world.annotation("memory-request") = "64Mi";
  world.annotation("cpu-request") = "2";
  CHECK(resources() ==
        json::parse(
            R"({"requests": {"cpu": "2", "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "64Mi"}})"));
}

TEST_CASE("of several policies the largest resources count, and the first word on everything else") {
  World world;
  world.policies.push_back(queue_policy());
  world.pod["metadata"]["labels"] = {{"app", "shop"}};
  world.policies[0]["spec"]["proxy"] = json::parse(
      R"({"logLevel": "Debug", "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "256Mi"}}})");
  world.policies[1]["spec"]["proxy"] = json::parse(
      R"({"logLevel": "Error", "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}}})");
  const auto decision = world.decided();
  json after = world.injected();
  CHECK(config_of(after)["logLevel"] == "Error");  // by name: queue before shop-data
  CHECK(own_container(after)["resources"]["requests"]["cpu"] == "100m");
  CHECK(own_container(after)["resources"]["limits"]["memory"] == "256Mi");
  REQUIRE(decision.warnings.size() == 1);
  CHECK(decision.warnings[0] ==
        "proxy.logLevel Debug of shop-data is ignored, because Error of queue comes first");
  REQUIRE(world.live(after).has_value());
  CHECK(world.live(after)->differences == decision.warnings);
  world.annotation("policy") = "shop-data, queue";
  CHECK(config_of(world.injected())["logLevel"] == "Debug");
}

TEST_CASE("in a Guaranteed Pod the ambassador is Guaranteed too") {
  World world;
  world.pod["spec"]["containers"][0]["resources"] =
      json::parse(R"({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "1000m"}})");
  CHECK(
      own_container(world.injected())["resources"] ==
      json::parse(
          R"({"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "50m", "memory": "128Mi"}})"));
  world.pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "900m";
  CHECK_FALSE(own_container(world.injected())["resources"]["limits"].contains("cpu"));
}

TEST_CASE("drain ends before the Pod's grace period does") {
  World world;
  CHECK_FALSE(config_of(world.injected()).contains("drainTimeout"));  // 25 s, the default
  world.pod["spec"]["terminationGracePeriodSeconds"] = 10;
  CHECK(config_of(world.injected())["drainTimeout"] == "8s");
  world.pod["spec"]["terminationGracePeriodSeconds"] = 1;
  CHECK(config_of(world.injected())["drainTimeout"] == "0s");
  world.pod["spec"]["terminationGracePeriodSeconds"] = 600;
  world.annotation("drain-timeout") = "1m30s";
  CHECK(config_of(world.injected())["drainTimeout"] == "1m30s");
}

TEST_CASE("what the installation says of image, pull secrets and environment reaches the container alone") {
  World world;
  world.installation.image_pull_secrets = {"pull"};
  world.installation.proxy_env = {{"AMBASSADOR_TEST_BIND_DELAY", "5s"}};
  world.installation.allowed_images = {"registry.example/debug:1"};
  json after = world.injected();
  CHECK(after["spec"]["imagePullSecrets"] == json::array({{{"name", "pull"}}}));
  CHECK(own_container(after)["env"] == json::array({variable("AMBASSADOR_TEST_BIND_DELAY", "5s")}));
  CHECK(after["spec"]["containers"][0]["env"].size() == 1);
  world.annotation("proxy-image") = "registry.example/debug:1";
  after = world.injected();
  CHECK(own_container(after)["image"] == "registry.example/debug:1");
}

TEST_CASE("the same Pod reaches another upstream in another namespace") {
  World world;
  auto& spec = world.policies[0]["spec"];
  spec["environments"] =
      json::parse(R"([{"name": "production", "namespaceSelector": {"matchLabels": {"env": "p"}}},
                                         {"name": "development"}])");
  spec["listeners"][0]["upstreams"] = json::parse(R"([
      {"environments": ["production"], "hosts": [{"host": "big", "port": 1}]}, {"hosts": [{"host": "small", "port": 1}]}])");
  const auto host = [&] { return config_of(world.injected())["listeners"][0]["backends"][0]["host"]; };
  CHECK(host() == "small");
  world.namespace_labels = {{"env", "p"}};
  CHECK(host() == "big");
  world.annotation("environment") = "development";
  CHECK(host() == "small");
}

TEST_CASE("a listener without backends binds all the same") {
  World world;
  world.policies[0].erase("status");
  CHECK(world.decided().outcome == Outcome::injected);
  const json config = config_of(world.injected());
  CHECK(config["listeners"][0]["port"] == 6380);
}

TEST_CASE("a cluster policy is injected where it is offered, under a name of its own") {
  World world;
  auto cluster = queue_policy("shop-data");
  cluster["kind"] = "ClusterAmbassadorPolicy";
  cluster["metadata"].erase("namespace");
  cluster["spec"].erase("podSelector");
  cluster["spec"]["namespaceSelector"] = {{"matchLabels", {{"team", "shop"}}}};
  cluster["spec"]["listeners"][0]["unixSocket"] = "Enabled";
  world.policies.push_back(cluster);
  CHECK(config_of(world.injected())["listeners"].size() == 1);
  world.namespace_labels = {{"team", "shop"}};
  const json config = config_of(world.injected());
  REQUIRE(config["listeners"].size() == 2);
  CHECK(config["listeners"][0]["name"] == "cluster.shop-data.amqp");
  CHECK(config["listeners"][0]["unixSocket"] == "/run/ambassador/cluster/shop-data/amqp.sock");
  CHECK(config["listeners"][1]["name"] == "shop-data.cache");
}
