#include "operator/controller/slim.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using nlohmann::json;
namespace controller = ambassador::controller;

TEST_CASE("a Pod keeps what live configuration reads, and nothing else") {
  json pod = json::parse(R"({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "app", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generateName": "app-",
                 "labels": {"app": "shop"}, "ownerReferences": [{"kind": "ReplicaSet"}],
                 "annotations": {"ambassador.dev/config": "{}", "other.dev/large": "x"}},
    "spec": {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "nodeName": "n", "volumes": [{"name": "v"}],
             "initContainers": [{"name": "ambassador-container", "args": ["--config"], "image": "i",
                                 "volumeMounts": [{"name": "ambassador-config"}], "env": [{"name": "E"}]}],
             "containers": [{"name": "app", "image": "i", "env": [{"name": "E"}], "ports": [{"containerPort": 80}],
                             "resources": {"limits": {"cpu": "1"}}, "volumeMounts": [{"name": "v"}]}]},
    "status": {"phase": "Running", "podIP": "10.0.0.1",
               "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}],
               "containerStatuses": [{"name": "app", "image": "i", "state": {"terminated": {"exitCode": 0, "reason": "x"}}}]}
  })");
  controller::slim_pod(pod);
  CHECK(pod == json::parse(R"({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "app", "namespace": "shop", "uid": "u", "resourceVersion": "7", "labels": {"app": "shop"},
                 "annotations": {"ambassador.dev/config": "{}"}},
    "spec": {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
             "initContainers": [{"name": "ambassador-container", "args": ["--config"],
                                 "volumeMounts": [{"name": "ambassador-config"}]}],
             "containers": [{"name": "app", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}}}]},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
               "containerStatuses": [{"name": "app", "state": {"terminated": {"exitCode": 0}}}]}
  })"));
}

TEST_CASE("documents of any shape are slimmed without harm") {
  for (const auto* text :
       {"null", "[]", "7", "{}", R"({"metadata": 7, "spec": [], "status": null})",
        R"({"metadata": {"annotations": []}, "spec": {"containers": {}, "template": 1}})",
        R"({"spec": {"containers": [7, null, {"name": 7}]}, "endpoints": [1], "ports": [null]})"}) {
    for (auto* slim : {controller::slim_pod, controller::slim_stateful_set, controller::slim_service,
                       controller::slim_endpoint_slice, controller::slim_metadata}) {
      json document = json::parse(text);
      CHECK_NOTHROW(slim(document));
    }
  }
}
