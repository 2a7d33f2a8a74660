// The parts of a policy that have a file of their own; parse.cpp puts them together. Within this room only,
// but for read_resources, which reads the flag --proxy-resources too.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/fields.hpp"
#include "operator/api/policy.hpp"

namespace ambassador::api {

/// A LabelSelector below `key` (parse_selector.cpp).
std::optional<LabelSelector> read_selector(Fields& fields, std::string_view key);

/// `resources` of the proxy (parse_resources.cpp).
Resources read_resources(Fields& fields);

/// One element of spec.listeners (parse_listener.cpp). Reads policy.key and policy.environments.
Listener read_listener(Fields& fields, const Policy& policy);

/// A port that the ambassador listens on; 0 where none is given (parse_listener.cpp).
std::uint16_t read_own_port(Fields& fields, std::string_view key);

/// `upstreams` of a listener (parse_upstream.cpp); `own_ports` are the listener's.
std::vector<Upstream> read_upstreams(Fields& listener, const Policy& policy,
                                     const std::vector<std::uint16_t>& own_ports);

/// `redis` of a listener (parse_redis.cpp).
config::Redis read_redis(Fields& listener);

/// `maxLag`: how far behind the primary a replica may be that is read from (parse_lag.cpp).
/// @param missing what has to be given for anybody to read from replicas; empty: somebody does. Else the
///     field is a problem where it is given
std::optional<std::chrono::milliseconds> read_max_lag(Fields& fields, std::string_view missing);

/// `secretRef` of `around`: the Secret's name, and its key where one has to be named (parse_secret.cpp).
std::optional<SecretKey> read_reference(Fields& around, bool with_key);
/// `key`, which holds `secretRef` and nothing else.
std::optional<SecretKey> read_secret(Fields& outer, std::string_view key, bool with_key);
/// `credentials`, `tls`, `listenerTLS` and `clientAuth` of a listener whose servers the ambassador logs in
/// at: listener.credentials, .tls, .own_tls and .client_credentials.
void read_logins_and_tls(Fields& fields, Listener& listener);

/// `credentials`, `clientAuth`, `listenerTLS`, `database`, `tls`, `postgresql` of a listener of protocol
/// PostgreSQL (parse_sql.cpp). Fills listener.sql and what read_logins_and_tls does.
void read_postgresql(Fields& fields, Listener& listener);
/// The most server connections of one Pod that a policy may ask for, as in the CRD.
inline constexpr std::int64_t kMostServerConnections = 10'000;

/// The names that are set.
std::vector<std::string> variables(const VariableNames& names);

}  // namespace ambassador::api
