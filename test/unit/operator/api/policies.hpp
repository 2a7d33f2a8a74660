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

/// The same with this `redis` of listeners[0].
inline nlohmann::json redis_policy(const nlohmann::json& redis) {
  nlohmann::json document = good_policy();
  document["spec"]["listeners"][0]["redis"] = redis;
  return document;
}

/// The good policy with a PostgreSQL listener at listeners[1], and that with these members changed; a null
/// removes one.
inline nlohmann::json database_policy(const nlohmann::json& changes = nlohmann::json::object()) {
  nlohmann::json document = good_policy();
  document["spec"]["listeners"][1] = nlohmann::json::parse(R"({
    "name": "db", "protocol": "PostgreSQL", "port": 5432, "unixSocket": "Enabled",
    "env": {"url": "DATABASE_URL", "jdbcUrl": "JDBC_URL"},
    "upstreams": [
      {"environments": ["production"], "statefulSet": {"name": "pg", "namespace": "data", "port": "postgres"}},
      {"service": {"name": "pg-dev", "port": 5432}}],
    "credentials": {"secretRef": {"name": "shop-db"}},
    "tls": {"mode": "VerifyFull", "ca": {"secretRef": {"name": "shop-db", "key": "ca.crt"}}},
    "database": "shop",
    "pool": {"maxServerConnections": 5, "maxClients": 1000},
    "postgresql": {"authentication": "Proxy", "pooling": "Transaction", "readWriteSplit": "Disabled"}})");
  document["spec"]["listeners"][1].merge_patch(changes);
  return document;
}

}  // namespace ambassador::api
