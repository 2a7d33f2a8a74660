#include "operator/inject/render.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/config/print.hpp"
#include "operator/api/document.hpp"
#include "operator/api/names.hpp"
#include "operator/discovery/environment.hpp"
#include "operator/discovery/hosts.hpp"
#include "operator/inject/connection_share.hpp"
#include "operator/inject/mounts.hpp"

namespace ambassador::inject {
namespace {

using api::list_at;
using api::member;
using api::text_at;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Left of the grace period for the kubelet and for the last replies on their way.
constexpr seconds kGraceReserve{2};

std::vector<discovery::ResolvedBackend> backends_for(const KnownPolicy& known, const api::Listener& listener,
                                                     const std::string& environment) {
  const auto choice = discovery::choose_upstream(listener, environment);
  if (!choice) return {};
  if (const auto* hosts = std::get_if<std::vector<api::Host>>(&choice->upstream->target)) {
    return discovery::backends_of(*hosts, listener.weights);
  }
  const auto* resolved = discovery::find(known.listeners, listener.name, choice->environment);
  if (resolved == nullptr) return {};
  auto backends = resolved->backends;
  for (auto& backend : backends) {
    const auto weight = listener.weights.find(backend.name);
    backend.weight = weight == listener.weights.end() ? 1 : weight->second;
  }
  return backends;
}

std::string file_in(const std::string& folder, std::string_view name) {
  return folder + "/" + std::string(name);
}

/// @param folder where the proxy finds what secret_files() mounts
void render_tls(config::Listener& rendered, const api::Listener& listener, const std::string& folder) {
  config::ServerTls& tls = rendered.server_tls;
  tls.mode = listener.tls.mode;
  if (listener.tls.ca) tls.ca_file = file_in(folder, api::kCaFile);
  if (shows_certificate(listener)) {
    tls.certificate_file = file_in(folder, api::kCertificateKey);
    tls.key_file = file_in(folder, api::kPrivateKeyKey);
  }
  if (!listener.own_tls.empty()) {
    const std::string for_clients = file_in(folder, api::kClientsFolder);
    rendered.listener_tls.certificate_file = file_in(for_clients, api::kCertificateKey);
    rendered.listener_tls.key_file = file_in(for_clients, api::kPrivateKeyKey);
  }
}

/// Where what clients prove lies; empty: they are trusted.
/// @param folder as for render_tls
std::string clients_login(const api::Listener& listener, const std::string& folder) {
  return listener.client_credentials.empty() ? std::string() : file_in(folder, api::kClientsFolder);
}

/// @param folder as for render_tls; the readers' port has the listener's files
void render_sql(config::Listener& rendered, const KnownPolicy& policy, const api::Listener& listener,
                const std::string& folder) {
  const auto& sql = listener.sql;
  rendered.sql.database = sql.database;
  rendered.sql.max_server_connections = allowed_connections(policy, listener);
  rendered.sql.authentication = sql.authentication;
  rendered.sql.pooling = sql.pooling;
  rendered.sql.max_lag = sql.max_lag;
  if (rendered.port == sql.read_port) {
    rendered.sql.servers = config::Servers::replicas;
  } else {
    rendered.sql.read_write_split = sql.read_write_split;
    rendered.sql.causal_reads = sql.causal_reads;
    if (!rendered.sql.uses_replicas()) rendered.sql.max_lag = config::Sql{}.max_lag;
  }
  if (sql.authentication == config::Authentication::proxy) rendered.sql.credentials_folder = folder;
  rendered.sql.client_credentials_folder = clients_login(listener, folder);
}

/// A port that the application has itself is no listener's, and then nobody's mirror.
void render_mirror(config::Listener& rendered, const api::Policy& policy, const PodFacts& pod) {
  auto& mirror = rendered.redis.mirror;
  if (!mirror) return;
  const api::Listener* const other = policy.listener(mirror->listener);
  if (other == nullptr || pod.declared_ports.contains(other->port)) return mirror.reset();
  mirror->listener = policy.key.listener_key(other->name);
}

/// @param port one of the listener's ports()
config::Listener render_listener(const PlacedPolicy& placed, const api::Listener& listener,
                                 std::uint16_t port, const PodFacts& pod) {
  const auto& key = placed.policy->parsed.key;
  const std::string name = key.listener_key(listener.name);
  config::Listener rendered;
  rendered.name = port == listener.port ? name : key.listener_key(api::readers_name(listener));
  rendered.protocol = listener.protocol;
  rendered.port = port;
  if (listener.unix_socket && pod.sockets) rendered.unix_socket = api::socket_path(key, listener, port);
  for (const auto& backend : backends_for(*placed.policy, listener, placed.environment)) {
    rendered.backends.push_back({backend.ring_name, backend.host, backend.port, backend.weight});
  }
  rendered.timeouts = listener.timeouts;
  rendered.max_clients = listener.max_clients;
  rendered.redis = listener.redis;
  const std::string folder = secret_folder(name);
  render_tls(rendered, listener, folder);
  if (listener.protocol == config::Protocol::postgresql)
    render_sql(rendered, *placed.policy, listener, folder);
  if (listener.protocol == config::Protocol::redis) {
    if (!listener.credentials.empty()) rendered.redis.credentials_folder = folder;
    rendered.redis.client_credentials_folder = clients_login(listener, folder);
    render_mirror(rendered, placed.policy->spec(), pod);
  }
  return rendered;
}

}  // namespace

PodFacts pod_facts(const json& pod) {
  PodFacts facts;
  const json& spec = member(pod, "spec");
  const auto grace = api::integer_at(spec, "terminationGracePeriodSeconds").value_or(30);
  facts.grace_period = std::clamp(seconds(grace), seconds(0), seconds(std::chrono::hours(7 * 24)));
  for (const char* kind : {"containers", "initContainers"}) {
    for (const auto& container : list_at(spec, kind)) {
      if (text_at(container, "name") == api::kContainerName) continue;
      for (const auto& port : list_at(container, "ports")) {
        const auto protocol = text_at(port, "protocol");
        const auto number = api::port_at(port, "containerPort");
        if (number && (protocol.empty() || protocol == "TCP")) facts.declared_ports.insert(*number);
      }
    }
  }
  return facts;
}

config::Document render_config(const std::vector<PlacedPolicy>& policies, const Settings& settings,
                               const PodFacts& pod, const Installation& installation) {
  config::Document document;
  document.shutdown = pod.shutdown;
  document.log_level = settings.log_level;
  document.readiness = settings.readiness;
  document.drain_timeout = std::max(
      milliseconds(0), std::min<milliseconds>(settings.drain_timeout, pod.grace_period - kGraceReserve));
  document.health_port = installation.health_port;
  document.admin_port = installation.admin_port;
  for (const auto& placed : policies) {
    for (const auto& listener : placed.policy->spec().listeners) {
      for (const auto port : api::ports(listener)) {
        if (pod.declared_ports.contains(port)) continue;
        document.listeners.push_back(render_listener(placed, listener, port, pod));
      }
    }
  }
  return document;
}

std::string config_text(const config::Document& document) {
  return config::print(document);
}

}  // namespace ambassador::inject
