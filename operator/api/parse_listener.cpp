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
  listener.port = fields.port("port", kLowestPort).value_or(0);
  if (listener.port == kAdminPort || listener.port == kHealthPort) {
    fields.problems().invalid(fields.path("port"),
                              std::to_string(listener.port) +
                                  " is the ambassador's own (19900 admin, 19901 health): "
                                  "take another");
  }
}

void read_socket(Fields& fields, const Policy& policy, Listener& listener) {
  static constexpr Spelling<bool, 2> kSwitch = {{{"Enabled", true}, {"Disabled", false}}};
  listener.unix_socket = fields.choice("unixSocket", kSwitch).value_or(false);
  const std::string path = policy.key.socket_folder() + "/" + listener.name + ".sock";
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
  if (env.get("jdbcUrl") != nullptr) {
    env.problems().invalid(env.path("jdbcUrl"), "is for PostgreSQL and MySQL: use url here");
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
  fields.not_yet("maxServerConnections", "remove it");
  if (const auto most = fields.integer("maxClients", 1, 100000)) {
    listener.max_clients = static_cast<unsigned>(*most);
  }
  fields.finish();
}

/// What Redis and TCP listeners may not carry, or not yet.
void read_security(Fields& fields) {
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

/// A PostgreSQL or MySQL listener: one problem, and no more about the fields that come with it.
bool not_yet_protocol(Fields& fields) {
  const auto* protocol = fields.get("protocol");
  if (protocol == nullptr || (*protocol != "PostgreSQL" && *protocol != "MySQL")) return false;
  fields.problems().not_yet(fields.path("protocol"),
                            shown(*protocol) + " is not in this version: use TCP, which relays it as it is");
  for (const char* field : {"credentials", "clientAuth", "listenerTLS", "tls", "database", "pool",
                            "postgresql", "mysql", "redis", "env", "weights"}) {
    fields.ignore(field);
  }
  return true;
}

}  // namespace

Listener read_listener(Fields& fields, const Policy& policy) {
  Listener listener;
  read_name(fields, listener);
  read_port(fields, listener);
  read_socket(fields, policy, listener);
  read_timeouts(fields, listener);
  listener.upstreams = read_upstreams(fields, policy, listener.port);
  if (not_yet_protocol(fields)) {
    fields.finish();
    return listener;
  }
  fields.required("protocol", words(kProtocols));
  const auto protocol = fields.choice("protocol", kProtocols);
  listener.protocol = protocol.value_or(config::Protocol::tcp);
  read_env(fields, listener);
  read_weights(fields, listener);
  read_pool(fields, listener);
  read_security(fields);
  listener.redis = read_redis(fields);
  if (protocol && *protocol != config::Protocol::redis && fields.get("redis") != nullptr) {
    fields.problems().invalid(fields.path("redis"), "is for protocol Redis: remove it");
  }
  for (const char* sql : {"database", "postgresql", "mysql"}) {
    if (fields.get(sql) != nullptr) {
      fields.problems().invalid(fields.path(sql), "is for PostgreSQL and MySQL listeners: remove it");
    }
  }
  fields.finish();
  return listener;
}

}  // namespace ambassador::api
