// Policy documents for tests: a good one, and what becomes of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ambassador::api {

inline nlohmann::json good_policy() {
  return nlohmann::json::parse(R"({
    "apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy",
    "metadata": {"name": "shop-data", "namespace": "shop", "uid": "u-1", "generation": 3},
    "spec": {
      "podSelector": {"matchLabels": {"app": "shop"}},
      "environments": [
        {"name": "production", "namespaceSelector": {"matchLabels": {"environment": "production"}}},
        {"name": "staging", "clusterNames": ["stage-eu", "stage-us"]},
        {"name": "development"}],
      "listeners": [{
        "name": "cache", "protocol": "Redis", "port": 6380, "unixSocket": "Enabled",
        "env": {"url": "REDIS_URL", "host": "REDIS_HOST", "port": "REDIS_PORT"},
        "upstreams": [{"statefulSet": {"name": "redis-st", "port": "redis-port"}}],
        "timeouts": {"connect": "1s", "queue": "5s", "idle": "1h"},
        "weights": {"redis-st-0": 2},
        "redis": {"mode": "Sharded", "hash": "fnv1a_64", "distribution": "ketama", "hashTag": "{}",
                  "readPreference": "Primary"}}, {
        "name": "queue", "protocol": "TCP", "port": 5672,
        "upstreams": [
          {"environments": ["production"], "service": {"name": "rabbit", "namespace": "data", "port": 5672}},
          {"hosts": [{"host": "127.0.0.1", "port": 15672}, {"host": "10.0.0.9", "port": 5672, "name": "b", "weight": 3}]}]
      }],
      "proxy": {"containerMode": "Auto", "logLevel": "Info", "drainTimeout": "25s", "readiness": "Listeners",
                "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}}},
      "rollout": "None", "repair": "Report"
    }})");
}

}  // namespace ambassador::api
