// AmbassadorPolicy and ClusterAmbassadorPolicy in memory: only what this version carries. parse.hpp makes
// them from documents; nobody else does. Plain values.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/config/document.hpp"
#include "operator/api/quantity.hpp"
#include "operator/api/selector.hpp"

namespace ambassador::api {

/// Which policy. A ClusterAmbassadorPolicy has no namespace. Ordered by name as the annotations spell it.
struct PolicyKey {
  std::string ns;
  std::string name;

  [[nodiscard]] bool cluster() const { return ns.empty(); }
  /// As in the annotation ambassador.dev/policy: "shop-data" or "cluster/shop-data".
  [[nodiscard]] std::string reference() const;
  /// First half of a listener's key in metrics, logs and configuration: "shop-data" or "cluster.shop-data"
  /// (policy names hold no dots, so the two never meet).
  [[nodiscard]] std::string config_name() const;
  /// The key of one of its listeners there: "shop-data.cache".
  [[nodiscard]] std::string listener_key(std::string_view listener) const;
  /// Folder of its Unix sockets: "/run/ambassador/shop-data" or "/run/ambassador/cluster/shop-data".
  [[nodiscard]] std::string socket_folder() const;
  /// For messages: "shop/shop-data" or "cluster/shop-data".
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const PolicyKey&, const PolicyKey&) = default;
};

/// One entry of spec.environments; the conditions that are given must all hold.
struct Environment {
  std::string name;
  std::optional<LabelSelector> namespace_selector;
  std::optional<LabelSelector> pod_selector;
  std::vector<std::string> cluster_names;
  friend bool operator==(const Environment&, const Environment&) = default;
};

/// A port by number or by the Service's port name.
using PortReference = std::variant<std::uint16_t, std::string>;
std::string text(const PortReference& port);

/// `ns` is empty where the policy names none: the policy's own.
struct StatefulSetReference {
  std::string ns;
  std::string name;
  PortReference port;
  friend bool operator==(const StatefulSetReference&, const StatefulSetReference&) = default;
};

struct ServiceReference {
  std::string ns;
  std::string name;
  PortReference port;
  friend bool operator==(const ServiceReference&, const ServiceReference&) = default;
};

struct Host {
  std::string host;  // DNS name or IP literal
  std::uint16_t port = 0;
  std::string name;  // its name on the ring; empty = "host:port"
  unsigned weight = 1;
  friend bool operator==(const Host&, const Host&) = default;
};

struct Upstream {
  std::vector<std::string> environments;  // empty: for every environment
  std::variant<StatefulSetReference, ServiceReference, std::vector<Host>> target;
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

/// Names of the variables set in the application's containers; empty = not set. Those that begin with read
/// are of Sql::read_port.
struct VariableNames {
  std::string url;
  std::string jdbc_url;
  std::string host;
  std::string port;
  std::string read_url;
  std::string read_jdbc_url;
  std::string read_port;
  friend bool operator==(const VariableNames&, const VariableNames&) = default;
};

/// One key of a Secret in the Pod's own namespace.
struct SecretKey {
  std::string secret;
  std::string key;
  friend bool operator==(const SecretKey&, const SecretKey&) = default;
};

struct ServerTls {
  config::TlsMode mode = config::TlsMode::disabled;
  std::optional<SecretKey> ca;  // absent: the system's roots
  friend bool operator==(const ServerTls&, const ServerTls&) = default;
};

/// What a listener of a SQL protocol has beside the others.
struct Sql {
  std::string database;
  unsigned max_server_connections = 10;  // of one Pod
  config::Authentication authentication = config::Authentication::passthrough;
  config::Pooling pooling = config::Pooling::session;
  config::ReadWriteSplit read_write_split = config::ReadWriteSplit::disabled;
  std::uint16_t read_port = 0;                                // whose clients get replicas; 0: there is none
  std::chrono::milliseconds max_lag = config::Sql{}.max_lag;  // of replicas that are read from
  bool causal_reads = true;                                   // with read_write_split
  friend bool operator==(const Sql&, const Sql&) = default;
};

struct Listener {
  std::string name;
  config::Protocol protocol = config::Protocol::tcp;
  std::uint16_t port = 0;
  bool unix_socket = false;  // socket_path() says where
  VariableNames env;
  std::vector<Upstream> upstreams;
  config::Timeouts timeouts;
  std::map<std::string, unsigned> weights;  // by backend name ("redis-st-0")
  unsigned max_clients = 10000;
  config::Redis redis;
  Sql sql;
  /// A Secret in the Pod's own namespace: username and password that the ambassador logs in with (PostgreSQL:
  /// for Authentication::proxy; Redis: the password alone for the default user); tls.crt and tls.key where
  /// TLS is on and the Secret has them. Empty: none.
  std::string credentials;
  /// Likewise: username and password that clients have to log in with (Redis: likewise the password alone).
  /// Empty: they are trusted.
  std::string client_credentials;
  ServerTls tls;
  std::string
      own_tls;  // a Secret in the Pod's own namespace, with tls.crt and tls.key; empty: no TLS to clients
  friend bool operator==(const Listener&, const Listener&) = default;
};

/// Where a listener's Unix socket is: "/run/ambassador/shop-data/cache.sock". PostgreSQL's clients are given
/// a folder and know the name in it by the port: "/run/ambassador/shop-data/db.sock/.s.PGSQL.5432".
/// @param port one of ports()
std::string socket_path(const PolicyKey& policy, const Listener& listener, std::uint16_t port);

/// The ports that it takes: its own, and that of its readers where there is one.
std::vector<std::uint16_t> ports(const Listener& listener);

/// The readers' port is a listener of its own to the proxy; its name there, before the policy's is added:
/// "db-read".
std::string readers_name(const Listener& listener);

enum class ContainerMode { automatic, native_sidecar, container };  // "Auto", "NativeSidecar", "Container"

/// What a policy, an annotation or the installation says about resources; absent = not said.
struct Resources {
  std::optional<Quantity> cpu_request;
  std::optional<Quantity> cpu_limit;
  std::optional<Quantity> memory_request;
  std::optional<Quantity> memory_limit;
  friend bool operator==(const Resources&, const Resources&) = default;
};

/// spec.proxy: the injected container. Absent = the installation's default.
struct ProxySettings {
  std::optional<ContainerMode> container_mode;
  Resources resources;
  std::optional<config::LogLevel> log_level;
  std::optional<std::chrono::milliseconds> drain_timeout;
  std::optional<config::Readiness> readiness;
  friend bool operator==(const ProxySettings&, const ProxySettings&) = default;
};

inline constexpr unsigned kMostConnectionBudget = 100'000;

enum class Repair { disabled, report };  // "Disabled", "Report"

struct Policy {
  PolicyKey key;
  std::string uid;
  std::int64_t generation = 0;
  std::string hash;  // of the content of spec, see hash.hpp
  std::optional<LabelSelector> pod_selector;
  std::optional<LabelSelector> namespace_selector;  // ClusterAmbassadorPolicy alone; absent = every namespace
  std::vector<Environment> environments;
  std::vector<Listener> listeners;
  ProxySettings proxy;
  /// Server connections of all Pods together, per SQL listener; absent: no limit but each listener's own.
  std::optional<unsigned> connection_budget;
  Repair repair = Repair::report;

  [[nodiscard]] const Listener* listener(std::string_view name) const;
  [[nodiscard]] const Environment* environment(std::string_view name) const;
};

}  // namespace ambassador::api
