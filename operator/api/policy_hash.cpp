#include <nlohmann/json.hpp>

#include "operator/api/hash.hpp"
#include "operator/api/spelling.hpp"

namespace ambassador::api {
namespace {

using nlohmann::json;

/// Writes `value` unless it is what an absent field means.
template <class T, class U = T>
void put(json& object, const char* key, const T& value, const U& meaning_of_absence) {
  if (!(value == meaning_of_absence)) object[key] = value;
}

json content(const LabelSelector& selector) {
  json expressions = json::array();
  for (const auto& requirement : selector.match_expressions) {
    expressions.push_back({requirement.key, print(kLabelOperators, requirement.op), requirement.values});
  }
  json labels = json::object();
  for (const auto& [key, value] : selector.match_labels) labels[key] = value;
  return {std::move(labels), std::move(expressions)};
}

json content(const Environment& environment) {
  json object = {{"name", environment.name}};
  if (environment.namespace_selector) object["namespaceSelector"] = content(*environment.namespace_selector);
  if (environment.pod_selector) object["podSelector"] = content(*environment.pod_selector);
  put(object, "clusterNames", environment.cluster_names, std::vector<std::string>{});
  return object;
}

json content(const StatefulSetReference& reference) {
  return {{"statefulSet", {reference.ns, reference.name, text(reference.port)}}};
}

json content(const ServiceReference& reference) {
  return {{"service", {reference.ns, reference.name, text(reference.port)}}};
}

json content(const std::vector<Host>& hosts) {
  json list = json::array();
  for (const auto& host : hosts) list.push_back({host.host, host.port, host.name, host.weight});
  return {{"hosts", std::move(list)}};
}

json content(const config::Redis& redis) {
  const config::Redis absent;
  json object = json::object();
  if (redis.mode != absent.mode) object["mode"] = print(kRedisModes, redis.mode);
  if (redis.hash != absent.hash) object["hash"] = print(kHashes, redis.hash);
  if (redis.distribution != absent.distribution)
    object["distribution"] = print(kDistributions, redis.distribution);
  put(object, "hashTag", redis.hash_tag, absent.hash_tag);
  if (redis.read_preference != absent.read_preference)
    object["readPreference"] = print(kReadPreferences, redis.read_preference);
  put(object, "maxLag", redis.max_lag.count(), absent.max_lag.count());
  if (redis.sentinel) object["sentinel"] = redis.sentinel->master_name;
  if (redis.slow_log != absent.slow_log)
    object["slowLog"] = {redis.slow_log.threshold.count(), redis.slow_log.size};
  if (redis.hot_keys != absent.hot_keys) object["hotKeys"] = {redis.hot_keys.one_in, redis.hot_keys.size};
  if (redis.big_keys != absent.big_keys) object["bigKeys"] = {redis.big_keys.threshold, redis.big_keys.size};
  if (redis.client_cache) object["clientCache"] = redis.client_cache->max_memory;
  if (redis.rate_limit)
    object["rateLimit"] = {redis.rate_limit->requests_per_second, redis.rate_limit->burst};
  if (redis.mirror)
    object["mirror"] = {redis.mirror->listener, print(kMirrorCommands, redis.mirror->commands)};
  if (redis.ejection) object["ejection"] = {redis.ejection->failures, redis.ejection->retry_after.count()};
  return object;
}

void put_logins(json& object, const Listener& listener) {
  put(object, "credentials", listener.credentials, std::string());
  put(object, "clientCredentials", listener.client_credentials, std::string());
}

json content_of_sql(const Listener& listener) {
  const Sql& sql = listener.sql;
  const Sql absent;
  json object = {{"authentication", print(kAuthentications, sql.authentication)}};
  put_logins(object, listener);
  put(object, "database", sql.database, absent.database);
  put(object, "maxServerConnections", sql.max_server_connections, absent.max_server_connections);
  if (sql.pooling != absent.pooling) object["pooling"] = print(kPoolings, sql.pooling);
  if (sql.read_write_split != absent.read_write_split)
    object["readWriteSplit"] = print(kReadWriteSplits, sql.read_write_split);
  put(object, "readPort", sql.read_port, absent.read_port);
  put(object, "maxLag", sql.max_lag.count(), absent.max_lag.count());
  put(object, "causalReads", sql.causal_reads, absent.causal_reads);
  return object;
}

json content(const ServerTls& tls) {
  json object = {{"mode", print(kTlsModes, tls.mode)}};
  if (tls.ca) object["ca"] = {tls.ca->secret, tls.ca->key};
  return object;
}

json content(const Listener& listener) {
  const Listener absent;
  json object = {
      {"name", listener.name}, {"port", listener.port}, {"protocol", print(kProtocols, listener.protocol)}};
  put(object, "unixSocket", listener.unix_socket, false);
  const auto& env = listener.env;
  if (env != absent.env) object["env"] = {env.url, env.jdbc_url, env.host, env.port};
  const json readers = {env.read_url, env.read_jdbc_url, env.read_port};
  put(object, "readEnv", readers, json{"", "", ""});
  const auto& timeouts = listener.timeouts;
  if (timeouts != absent.timeouts) {
    object["timeouts"] = {timeouts.connect.count(), timeouts.queue.count(), timeouts.idle.count()};
  }
  put(object, "weights", listener.weights, absent.weights);
  put(object, "maxClients", listener.max_clients, absent.max_clients);
  if (listener.redis != absent.redis) object["redis"] = content(listener.redis);
  // Where they have been since there were only those of SQL: a hash must not change with this program.
  const bool sql = listener.protocol == config::Protocol::postgresql;
  if (listener.sql != absent.sql ||
      (sql && !(listener.credentials.empty() && listener.client_credentials.empty())))
    object["sql"] = content_of_sql(listener);
  if (!sql) put_logins(object, listener);
  if (listener.tls != absent.tls) object["tls"] = content(listener.tls);
  put(object, "listenerTLS", listener.own_tls, absent.own_tls);
  json& upstreams = object["upstreams"] = json::array();
  for (const auto& upstream : listener.upstreams) {
    json one = std::visit([](const auto& target) { return content(target); }, upstream.target);
    put(one, "environments", upstream.environments, std::vector<std::string>{});
    upstreams.push_back(std::move(one));
  }
  return object;
}

json content(const ProxySettings& proxy) {
  json object = json::object();
  if (proxy.container_mode) object["containerMode"] = print(kContainerModes, *proxy.container_mode);
  if (proxy.log_level) object["logLevel"] = print(kLogLevels, *proxy.log_level);
  if (proxy.drain_timeout) object["drainTimeout"] = proxy.drain_timeout->count();
  if (proxy.readiness) object["readiness"] = print(kReadinesses, *proxy.readiness);
  const auto& resources = proxy.resources;
  const auto quantity = [&](const char* key, const std::optional<Quantity>& value) {
    if (value) object[key] = value->milli();
  };
  quantity("cpuRequest", resources.cpu_request);
  quantity("cpuLimit", resources.cpu_limit);
  quantity("memoryRequest", resources.memory_request);
  quantity("memoryLimit", resources.memory_limit);
  return object;
}

}  // namespace

std::string policy_hash(const Policy& policy) {
  json object = json::object();
  for (const auto& environment : policy.environments) object["environments"].push_back(content(environment));
  for (const auto& listener : policy.listeners) object["listeners"].push_back(content(listener));
  object["proxy"] = content(policy.proxy);
  if (policy.connection_budget) object["connectionBudget"] = *policy.connection_budget;
  return json_hash(object);
}

}  // namespace ambassador::api
