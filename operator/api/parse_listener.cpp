#include <nlohmann/json.hpp>
#include <set>

#include "operator/api/names.hpp"
#include "operator/api/parse_parts.hpp"

namespace ambassador::api {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::uint16_t kLowestPort = 1024;  // the proxy is no root
constexpr std::size_t kMaxWeights = 128;
/// sockaddr_un.sun_path holds 108 bytes with the final zero (unix(7)).
constexpr std::size_t kMaxSocketPath = 107;

void read_name(Fields& fields, Listener& listener) {
  fields.required("name", "a name such as cache");
  listener.name = fields.string("name").value_or("");
  if (!listener.name.empty() && !is_dns_label(listener.name)) {
    fields.problems().invalid(fields.path("name"),
                              shown(listener.name) + " is no name: use a-z, 0-9 and '-', at most 63");
  }
}

void read_port(Fields& fields, Listener& listener) {
  fields.required("port", "1024 to 65535, other than 19900 and 19901");
  listener.port = read_own_port(fields, "port");
}

void read_socket(Fields& fields, const Policy& policy, Listener& listener) {
  listener.unix_socket = fields.choice("unixSocket", kSwitch).value_or(false);
  std::string path;
  for (const auto port : ports(listener)) {
    auto one = socket_path(policy.key, listener, port);
    if (one.size() > path.size()) path = std::move(one);
  }
  if (listener.unix_socket && path.size() > kMaxSocketPath) {
    fields.problems().invalid(fields.path("unixSocket"),
                              path +
                                  " is longer than the 107 bytes that a socket's path may have: shorten the "
                                  "listener's or the policy's name, or use Disabled");
  }
}

std::string read_variable(Fields& env, std::string_view key, std::set<std::string>& seen) {
  auto name = env.string(key).value_or("");
  if (name.empty()) return name;
  if (!is_variable_name(name)) {
    env.problems().invalid(
        env.path(key),
        shown(name) + " is no name for a variable: use A-Z, a-z, 0-9 and _, not first a digit");
  } else if (!seen.insert(name).second) {
    env.problems().invalid(env.path(key), "\"" + name + "\" is named twice here: give it another name");
  }
  return name;
}

void read_env(Fields& listener_fields, Listener& listener) {
  const auto* object = listener_fields.object("env");
  if (object == nullptr) return;
  Fields env(*object, listener_fields.path("env"), listener_fields.problems());
  std::set<std::string> seen;
  listener.env.url = read_variable(env, "url", seen);
  listener.env.host = read_variable(env, "host", seen);
  listener.env.port = read_variable(env, "port", seen);
  if (listener.protocol == config::Protocol::postgresql) {
    listener.env.jdbc_url = read_variable(env, "jdbcUrl", seen);
  } else if (env.get("jdbcUrl") != nullptr) {
    env.problems().invalid(env.path("jdbcUrl"), "is for PostgreSQL and MySQL: use url here");
  }
  listener.env.read_url = read_variable(env, "readUrl", seen);
  listener.env.read_jdbc_url = read_variable(env, "readJdbcUrl", seen);
  listener.env.read_port = read_variable(env, "readPort", seen);
  for (const char* key : {"readUrl", "readJdbcUrl", "readPort"}) {
    const auto* variable = env.get(key);
    if (variable == nullptr || listener.sql.read_port != 0) continue;
    const bool could = listener.protocol == config::Protocol::postgresql;
    env.problems().invalid(env.path(key), shown(*variable) + (could ? " is for postgresql.readPort, which is "
                                                                      "not given: give it, or remove this"
                                                                    : " is for PostgreSQL: remove it"));
  }
  env.finish();
}

void read_timeouts(Fields& listener_fields, Listener& listener) {
  const auto* object = listener_fields.object("timeouts");
  if (object == nullptr) return;
  Fields fields(*object, listener_fields.path("timeouts"), listener_fields.problems());
  auto& timeouts = listener.timeouts;
  timeouts.connect = fields.duration("connect", milliseconds(10), minutes(5)).value_or(timeouts.connect);
  timeouts.queue = fields.duration("queue", milliseconds(0), minutes(10)).value_or(timeouts.queue);
  timeouts.idle = fields.duration("idle", milliseconds(0), hours(168)).value_or(timeouts.idle);
  fields.finish();
}

void read_weights(Fields& listener_fields, Listener& listener) {
  const auto* object = listener_fields.object("weights");
  if (object == nullptr) return;
  if (object->size() > kMaxWeights) {
    listener_fields.problems().invalid(listener_fields.path("weights"), "holds too many: give at most 128");
    return;
  }
  Fields fields(*object, listener_fields.path("weights"), listener_fields.problems());
  for (const auto& [name, value] : object->items()) {
    const auto weight = fields.integer(name, 1, 1000);
    if (weight) listener.weights[name] = static_cast<unsigned>(*weight);
  }
}

void read_pool(Fields& listener_fields, Listener& listener) {
  const auto* object = listener_fields.object("pool");
  if (object == nullptr) return;
  Fields fields(*object, listener_fields.path("pool"), listener_fields.problems());
  if (listener.protocol != config::Protocol::postgresql) {
    fields.not_yet("maxServerConnections", "remove it");
  } else if (const auto most = fields.integer("maxServerConnections", 1, kMostServerConnections)) {
    listener.sql.max_server_connections = static_cast<unsigned>(*most);
  }
  if (const auto most = fields.integer("maxClients", 1, 100000)) {
    listener.max_clients = static_cast<unsigned>(*most);
  }
  fields.finish();
}

/// What TCP listeners do not carry yet.
void refuse_logins_and_tls(Fields& fields) {
  fields.not_yet("listenerTLS", "remove it; the listener is on loopback");
  fields.not_yet("credentials", "remove it, and let the application authenticate");
  if (const auto* object = fields.object("clientAuth")) {
    Fields auth(*object, fields.path("clientAuth"), fields.problems());
    auth.not_yet_unless("mode", "None", "use None");
    auth.ignore("secretRef");
    auth.finish();
  }
  if (const auto* object = fields.object("tls")) {
    Fields tls(*object, fields.path("tls"), fields.problems());
    tls.not_yet_unless("mode", "Disabled", "use Disabled");
    if (tls.get("mode") == nullptr) tls.not_yet("ca", "remove tls");
    tls.ignore("ca");
    tls.finish();
  }
}

/// A MySQL listener: one problem, and no more about the fields that come with it.
bool not_yet_protocol(Fields& fields) {
  const auto* protocol = fields.get("protocol");
  if (protocol == nullptr || *protocol != "MySQL") return false;
  fields.problems().not_yet(fields.path("protocol"),
                            shown(*protocol) + " is not in this version: use TCP, which relays it as it is");
  for (const char* field : {"credentials", "clientAuth", "listenerTLS", "tls", "database", "pool",
                            "postgresql", "mysql", "redis", "env", "weights"}) {
    fields.ignore(field);
  }
  return true;
}

/// Blocks that belong to other protocols than the listener's; nothing is said of them where that is unknown.
void refuse_foreign(Fields& fields, std::optional<config::Protocol> protocol) {
  for (const char* block : {"redis", "postgresql", "mysql", "database"}) fields.ignore(block);
  if (!protocol) return;
  const auto refuse = [&](const char* block, const char* whose) {
    if (fields.get(block) == nullptr) return;
    fields.problems().invalid(fields.path(block), std::string("is for ") + whose + ": remove it");
  };
  if (protocol != config::Protocol::redis) refuse("redis", "protocol Redis");
  refuse("mysql", "protocol MySQL");
  if (protocol == config::Protocol::postgresql) return;
  refuse("postgresql", "protocol PostgreSQL");
  refuse("database", "PostgreSQL and MySQL listeners");
}

}  // namespace

std::uint16_t read_own_port(Fields& fields, std::string_view key) {
  const auto port = fields.port(key, kLowestPort).value_or(0);
  if (port == kAdminPort || port == kHealthPort) {
    fields.problems().invalid(fields.path(key), std::to_string(port) +
                                                    " is the ambassador's own (19900 admin, 19901 health): "
                                                    "take another");
  }
  return port;
}

Listener read_listener(Fields& fields, const Policy& policy) {
  Listener listener;
  read_name(fields, listener);
  read_port(fields, listener);
  read_timeouts(fields, listener);
  if (not_yet_protocol(fields)) {
    listener.upstreams = read_upstreams(fields, policy, ports(listener));
    read_socket(fields, policy, listener);
    fields.finish();
    return listener;
  }
  fields.required("protocol", words(kProtocols));
  const auto protocol = fields.choice("protocol", kProtocols);
  listener.protocol = protocol.value_or(config::Protocol::tcp);
  read_weights(fields, listener);
  read_pool(fields, listener);
  listener.redis = read_redis(fields);
  switch (listener.protocol) {
    case config::Protocol::postgresql:
      read_postgresql(fields, listener);
      break;
    case config::Protocol::redis:
      read_logins_and_tls(fields, listener);
      break;
    case config::Protocol::tcp:
      refuse_logins_and_tls(fields);
      break;
  }
  // The ports are known now.
  listener.upstreams = read_upstreams(fields, policy, ports(listener));
  read_socket(fields, policy, listener);
  read_env(fields, listener);
  refuse_foreign(fields, protocol);
  fields.finish();
  return listener;
}

}  // namespace ambassador::api
