// Who is injected, who is refused, who is let through, and what each is told.
#include <catch2/catch.hpp>

#include "world.hpp"

using namespace ambassador;
using namespace ambassador::inject;

namespace {

/// The seed's world, with a policy that selects the Pod besides.
World selected() {
  World world;
  world.policies = {queue_policy()};
  world.pod["metadata"] = json::parse(R"({"name": "p", "labels": {"app": "shop"}})");
  return world;
}

}  // namespace

TEST_CASE("a Pod that did not ask and is not selected is left untouched") {
  World world;
  world.pod["metadata"].erase("annotations");
  const auto decision = world.decided();
  CHECK(decision.outcome == Outcome::not_requested);
  CHECK(decision.patch.empty());
  CHECK(decision.warnings.empty());
}

TEST_CASE("inject false wins over every selector and every other annotation") {
  World world = selected();
  world.annotation("inject") = "false";
  world.annotation("policy") = "queue";
  world.annotation("log-level") = "nonsense";
  CHECK(world.decided().outcome == Outcome::opted_out);
  CHECK(world.decided().patch.empty());
}

TEST_CASE("inject true takes every policy without selector, and those that select the Pod") {
  World world;
  world.policies.push_back(queue_policy());
  CHECK(world.decided().policies == std::vector<api::PolicyKey>{{"shop", "shop-data"}});
  world.pod["metadata"]["labels"] = {{"app", "shop"}};
  CHECK(world.decided().policies == std::vector<api::PolicyKey>{{"shop", "queue"}, {"shop", "shop-data"}});
}

TEST_CASE("the policy annotation takes exactly what it names, in its order, and implies inject") {
  World world;
  world.policies.push_back(queue_policy());
  world.pod["metadata"]["annotations"] = {{"ambassador.dev/policy", " shop-data ,queue,shop-data"}};
  CHECK(world.decided().policies == std::vector<api::PolicyKey>{{"shop", "shop-data"}, {"shop", "queue"}});
}

TEST_CASE("a policy of another namespace is not there") {
  World world;
  world.policies[0]["metadata"]["namespace"] = "other";
  const auto decision = world.decided();
  CHECK(decision.cause == "PolicyNotFound");
  CHECK(decision.policies_missing);
}

TEST_CASE("only a CREATE of no mirror Pod is looked at") {
  World world;
  world.operation = "UPDATE";
  CHECK(world.decided().outcome == Outcome::ignored);
  CHECK(world.decided().patch.empty());
  world.operation = "CREATE";
  world.pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x";
  CHECK(world.decided().outcome == Outcome::ignored);
}

TEST_CASE("a Pod that asked and cannot be served is refused with field, value and way out") {
  struct Row {
    const char* what;
    void (*change)(World&);
    const char* cause;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"no such policy", [](World& w) { w.annotation("policy") = "nope"; }, "PolicyNotFound",
       "AmbassadorPolicy nope does not exist in namespace shop (there are: shop-data): create it, or "
       "correct"},
      {"no such cluster policy", [](World& w) { w.annotation("policy") = "cluster/nope"; }, "PolicyNotFound",
       "ClusterAmbassadorPolicy nope does not exist"},
      {"no policy at all", [](World& w) { w.policies.clear(); }, "PolicyNotFound",
       "no AmbassadorPolicy in namespace shop fits this Pod (there are none)"},
      {"a policy that is not accepted", [](World& w) { w.listener()["port"] = 80; }, "PolicyNotAccepted",
       "AmbassadorPolicy shop-data is not accepted: spec.listeners[0].port: 80 is out of range"},
      {"a policy for later", [](World& w) { w.listener()["protocol"] = "MySQL"; }, "PolicyNotAccepted",
       "not in this version"},
      {"inject yes", [](World& w) { w.annotation("inject") = "yes"; }, "InvalidAnnotation",
       "annotation ambassador.dev/inject: \"yes\" is neither \"true\" nor \"false\""},
      {"a bad name", [](World& w) { w.annotation("policy") = "shop/data"; }, "InvalidAnnotation",
       "\"shop/data\", which is no policy's name"},
      {"an empty list", [](World& w) { w.annotation("policy") = ""; }, "InvalidAnnotation",
       "is no policy's name"},
      {"a slip", [](World& w) { w.annotation("polcy") = "a"; }, "InvalidAnnotation",
       "annotation ambassador.dev/polcy: is not known: correct its spelling (inject, policy"},
      {"cpu", [](World& w) { w.annotation("cpu-request") = "lots"; }, "InvalidAnnotation",
       "\"lots\" is no quantity"},
      {"cpu too much", [](World& w) { w.annotation("cpu-limit") = "64"; }, "InvalidAnnotation",
       "\"64\" is out of range: give 1m to 16"},
      {"memory too little", [](World& w) { w.annotation("memory-limit") = "1Mi"; }, "InvalidAnnotation",
       "give 16Mi to 16Gi"},
      {"request over limit",
       [](World& w) {
         w.annotation("memory-request") = "64Mi";
         w.annotation("memory-limit") = "32Mi";
       },
       "InvalidAnnotation", "is more than ambassador.dev/memory-limit \"32Mi\""},
      {"log level", [](World& w) { w.annotation("log-level") = "Trace"; }, "InvalidAnnotation",
       "\"Trace\" is not one of Debug, Info, Warning, Error"},
      {"drain", [](World& w) { w.annotation("drain-timeout") = "soon"; }, "InvalidAnnotation",
       "\"soon\" is no duration"},
      {"mode", [](World& w) { w.annotation("container-mode") = "Sidecar"; }, "InvalidAnnotation",
       "is not one of Auto, NativeSidecar, Container"},
      {"readiness", [](World& w) { w.annotation("readiness") = "No"; }, "InvalidAnnotation",
       "Listeners, Backends"},
      {"image", [](World& w) { w.annotation("proxy-image") = "evil.example/x"; }, "InvalidAnnotation",
       "is not among the images that this installation allows"},
      {"environment", [](World& w) { w.annotation("environment") = "staging"; }, "InvalidAnnotation",
       "\"staging\" is no environment of this Pod's policies (they have none)"},
      {"a listener's port",
       [](World& w) {
         w.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 6380}}};
       },
       "PortInUse", "container redis-client declares port 6380, the port of listener shop-data.cache"},
      {"the admin port",
       [](World& w) {
         w.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 19900}}};
       },
       "PortInUse", "declares port 19900, which is the ambassador's admin port"},
      {"the health port",
       [](World& w) {
         w.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 19901}}};
       },
       "PortInUse", "declares port 19901, which is the ambassador's health port"},
      {"two policies with a port",
       [](World& w) {
         w.policies.push_back(queue_policy());
         w.listener(1)["port"] = 6380;
         w.annotation("policy") = "shop-data,queue";
       },
       "PortInUse", "listener queue.amqp has port 6380, which is also that of listener shop-data.cache"},
      {"host network", [](World& w) { w.pod["spec"]["hostNetwork"] = true; }, "HostNetwork",
       "spec.hostNetwork is true"},
      {"Windows",
       [](World& w) {
         w.pod["spec"]["os"] = {{"name", "windows"}};
       },
       "Windows", "drop the annotation"},
      {"Windows by selector",
       [](World& w) {
         w.pod["spec"]["nodeSelector"] = {{"kubernetes.io/os", "windows"}};
       },
       "Windows", "Windows"},
      {"the seed's own container",
       [](World& w) {
         w.pod["spec"]["containers"].push_back(
             {{"name", "ambassador-container"}, {"image", "malexer/twemproxy"}});
       },
       "ContainerNameTaken", "rename it or drop the annotation"},
      {"a volume's name",
       [](World& w) {
         w.pod["spec"]["volumes"] = {{{"name", "ambassador-config"}}};
       },
       "VolumeNameTaken", "spec.volumes holds \"ambassador-config\""},
      {"no upstream here",
       [](World& w) {
         w.policies[0]["spec"]["environments"] = {{{"name", "production"}, {"clusterNames", {"p"}}}};
         w.listener()["upstreams"][0]["environments"] = {"production"};
       },
       "NoUpstream",
       "listener shop-data.cache has no upstream here, because no environment of the policy matches"},
      {"consent withdrawn",
       [](World& w) {
         w.policies[0]["status"]["listeners"][0]["reason"] = "RefNotPermitted";
         w.policies[0]["status"]["listeners"][0]["message"] = "Service data/x does not permit namespace shop";
       },
       "RefNotPermitted", "listener shop-data.cache: Service data/x does not permit"},
      {"a cluster policy for others",
       [](World& w) {
         w.policies[0]["kind"] = "ClusterAmbassadorPolicy";
         w.policies[0]["metadata"].erase("namespace");
         w.policies[0]["spec"]["namespaceSelector"] = {{"matchLabels", {{"a", "b"}}}};
         w.listener()["upstreams"][0]["statefulSet"]["namespace"] = "data";
         w.annotation("policy") = "cluster/shop-data";
       },
       "PolicyNotOffered", "its namespaceSelector does not match"},
  }));
  World world;
  row.change(world);
  const auto decision = world.decided();
  INFO(row.what << ": " << text(decision.outcome) << " " << decision.message);
  CHECK(decision.outcome == Outcome::denied);
  CHECK_FALSE(decision.allowed());
  CHECK(decision.patch.empty());
  CHECK(decision.cause == row.cause);
  CHECK_THAT(decision.message, Catch::Contains(row.says));
}

TEST_CASE("a Pod that is merely selected is never refused, but told why it has no ambassador") {
  struct Row {
    void (*change)(World&);
    const char* cause;
  };
  const auto row = GENERATE(values<Row>({
      {[](World& w) { w.listener()["port"] = 80; }, "PolicyNotAccepted"},
      {[](World& w) { w.annotation("log-level") = "Trace"; }, "InvalidAnnotation"},
      {[](World& w) { w.annotation("environment") = "x"; }, "InvalidAnnotation"},
      {[](World& w) {
         w.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 5672}}};
       },
       "PortInUse"},
      {[](World& w) { w.pod["spec"]["hostNetwork"] = true; }, "HostNetwork"},
      {[](World& w) {
         w.pod["spec"]["os"] = {{"name", "windows"}};
       },
       "Windows"},
      {[](World& w) { w.pod["spec"]["containers"][0]["name"] = "ambassador-container"; },
       "ContainerNameTaken"},
  }));
  World world = selected();
  REQUIRE(world.decided().outcome == Outcome::injected);
  row.change(world);
  const auto decision = world.decided();
  INFO(decision.message);
  CHECK(decision.outcome == Outcome::skipped);
  CHECK(decision.allowed());
  CHECK(decision.cause == row.cause);
  REQUIRE(decision.warnings.size() == 1);
  CHECK(decision.warnings[0] == "no ambassador is injected: " + decision.message);
  CHECK(world.pod.patch(decision.patch) == world.pod);
}

TEST_CASE("UDP ports of the application are no conflict") {
  World world;
  world.pod["spec"]["containers"][0]["ports"] = {{{"containerPort", 6380}, {"protocol", "UDP"}}};
  CHECK(world.decided().outcome == Outcome::injected);
}

TEST_CASE("an unresolved upstream never keeps a Pod out") {
  World world;
  world.policies[0]["status"]["listeners"][0]["reason"] = "RefNotFound";
  CHECK(world.decided().outcome == Outcome::injected);
}

TEST_CASE("what a user forged is stripped, whatever becomes of the Pod") {
  const auto forge = [](World& world) {
    world.annotation("config") = "{}";
    world.annotation("status") = "{}";
    world.pod["metadata"]["labels"]["ambassador.dev/injected"] = "true";
    world.pod["metadata"]["labels"]["app"] = "other";
  };
  const auto clean = [](const json& pod) {
    return !pod["metadata"]["annotations"].contains("ambassador.dev/config") &&
           !pod["metadata"]["annotations"].contains("ambassador.dev/status") &&
           !pod["metadata"]["labels"].contains("ambassador.dev/injected");
  };
  SECTION("not asked") {
    World world;
    world.pod["metadata"].erase("annotations");
    forge(world);
    CHECK(world.decided().outcome == Outcome::not_requested);
    CHECK(clean(world.pod.patch(world.decided().patch)));
  }
  SECTION("opted out") {
    World world;
    forge(world);
    world.annotation("inject") = "false";
    CHECK(clean(world.pod.patch(world.decided().patch)));
  }
  SECTION("selected, and skipped") {
    World world = selected();
    forge(world);
    world.pod["metadata"]["labels"]["app"] = "shop";
    world.pod["spec"]["hostNetwork"] = true;
    CHECK(world.decided().outcome == Outcome::skipped);
    CHECK(clean(world.pod.patch(world.decided().patch)));
  }
  SECTION("injected: made anew") {
    World world;
    const json honest = world.injected();
    forge(world);
    const json after = world.injected();
    CHECK(after["metadata"]["annotations"]["ambassador.dev/config"] ==
          honest["metadata"]["annotations"]["ambassador.dev/config"]);
    CHECK(after["metadata"]["annotations"]["ambassador.dev/status"] ==
          honest["metadata"]["annotations"]["ambassador.dev/status"]);
  }
}

TEST_CASE("a configuration that no annotation can hold is refused") {
  World world;
  auto& hosts = world.listener()["upstreams"] = json::parse(R"([{"hosts": []}])");
  world.policies[0].erase("status");
  json listener = world.listener();
  for (int l = 0; l < 16; ++l) {
    listener["name"] = "l" + std::to_string(l);
    listener["port"] = 6380 + l;
    listener.erase("env");
    auto& list = listener["upstreams"][0]["hosts"] = json::array();
    for (int h = 0; h < 64; ++h) {
      list.push_back({{"host", std::string(60, 'h') + "." + std::string(60, 'x') + std::to_string(h)},
                      {"port", 1},
                      {"name", std::string(200, 'n') + std::to_string(h)}});
    }
    world.policies[0]["spec"]["listeners"][static_cast<std::size_t>(l)] = listener;
  }
  (void)hosts;
  const auto decision = world.decided();
  INFO(decision.message);
  CHECK(decision.outcome == Outcome::denied);
  CHECK(decision.cause == "ConfigTooLarge");
}

TEST_CASE("what is no Pod is refused, and never throws") {
  for (const char* text :
       {"null", "[]", "3", "{}", R"({"metadata": {}, "spec": []})",
        R"({"metadata": {"annotations": []}, "spec": {}})", R"({"metadata": {}, "spec": {"containers": {}}})",
        R"({"metadata": {}, "spec": {"containers": [3]}})",
        R"({"metadata": {}, "spec": {"containers": [{"env": 3}]}})"}) {
    INFO(text);
    const World world;
    const json pod = json::parse(text);
    const auto decision = world.decide_on(pod);
    CHECK(decision.outcome == Outcome::denied);
    CHECK(decision.cause == "Malformed");
  }
}
