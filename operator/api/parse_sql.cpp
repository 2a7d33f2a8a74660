#include <algorithm>

#include "operator/api/parse_parts.hpp"

namespace ambassador::api {
namespace {

using config::Authentication;
using config::Pooling;
using config::ReadWriteSplit;
using config::TlsMode;

/// PostgreSQL keeps 63 bytes of a name (NAMEDATALEN).
constexpr std::size_t kMostDatabase = 63;

void read_database(Fields& fields, Sql& sql) {
  sql.database = fields.string("database", kMostDatabase).value_or("");
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(sql.database, control)) {
    fields.problems().invalid(fields.path("database"),
                              shown(sql.database) + " holds control characters: remove them");
  }
}

/// What goes to replicas. causalReads may be there without a split, as the CRD's default is.
void read_replicas(Fields& fields, Listener& listener) {
  Sql& sql = listener.sql;
  sql.read_write_split = fields.choice("readWriteSplit", kReadWriteSplits).value_or(ReadWriteSplit::disabled);
  const bool splits = sql.read_write_split != ReadWriteSplit::disabled;
  sql.read_port = read_own_port(fields, "readPort");
  if (sql.read_port != 0 && sql.read_port == listener.port) {
    fields.problems().invalid(
        fields.path("readPort"),
        std::to_string(sql.read_port) + " is the listener's own port: give readers another one");
  }
  const bool unread = !splits && sql.read_port == 0;
  sql.max_lag = read_max_lag(fields, unread ? "readPort or readWriteSplit" : "").value_or(sql.max_lag);
  const bool causal = fields.choice("causalReads", kSwitch).value_or(true);
  sql.causal_reads = causal || !splits;
}

/// `postgresql`; what is written of authentication, before the default.
std::optional<Authentication> read_block(Fields& listener_fields, Listener& listener) {
  const auto* object = listener_fields.object("postgresql");
  if (object == nullptr) return std::nullopt;
  Fields fields(*object, listener_fields.path("postgresql"), listener_fields.problems());
  const auto authentication = fields.choice("authentication", kAuthentications);
  listener.sql.pooling = fields.choice("pooling", kPoolings).value_or(Pooling::session);
  read_replicas(fields, listener);
  fields.finish();
  return authentication;
}

/// What authentication, pooling, credentials and TLS owe each other.
void check_login(Fields& fields, const Listener& listener) {
  const Sql& sql = listener.sql;
  const std::string block = fields.path("postgresql");
  if (sql.authentication == Authentication::proxy) {
    if (!listener.credentials.empty()) return;
    fields.problems().invalid(
        block + ".authentication",
        "\"Proxy\" needs credentials to log in with: give credentials.secretRef, or use "
        "Passthrough with pooling Session");
    return;
  }
  if (sql.pooling == Pooling::transaction) {
    fields.problems().invalid(
        block + ".pooling",
        "\"Transaction\" needs authentication Proxy and credentials, because Passthrough "
        "ties a server connection to the client that logged in: give both, or use "
        "Session");
  }
  if (!listener.client_credentials.empty()) {
    fields.problems().invalid(
        fields.path("clientAuth") + ".mode",
        "\"Password\" needs authentication Proxy and credentials, because with Passthrough "
        "clients log in at the server: give both, or use None");
  }
  if (!listener.credentials.empty() && listener.tls.mode == TlsMode::disabled) {
    fields.problems().invalid(fields.path("credentials"),
                              "are not used with Passthrough and without tls: remove them, or use "
                              "authentication Proxy");
  }
}

/// With Session a client keeps the server that it has, however far that falls behind; Passthrough has no
/// login of its own at a second one.
void check_replicas(Fields& fields, const Sql& sql) {
  if (sql.authentication == Authentication::proxy && sql.pooling == Pooling::transaction) return;
  const std::string block = fields.path("postgresql");
  const std::string needs =
      " needs authentication Proxy, credentials and pooling Transaction: give them, or ";
  if (sql.read_write_split != ReadWriteSplit::disabled) {
    fields.problems().invalid(
        block + ".readWriteSplit",
        "\"" + std::string(print(kReadWriteSplits, sql.read_write_split)) + "\"" + needs + "use Disabled");
  }
  if (sql.read_port != 0) {
    fields.problems().invalid(block + ".readPort", std::to_string(sql.read_port) + needs + "remove it");
  }
}

}  // namespace

void read_postgresql(Fields& fields, Listener& listener) {
  Sql& sql = listener.sql;
  const std::size_t before = fields.problems().size();
  read_logins_and_tls(fields, listener);
  read_database(fields, sql);
  const auto authentication = read_block(fields, listener);
  sql.authentication = authentication.value_or(listener.credentials.empty() ? Authentication::passthrough
                                                                            : Authentication::proxy);
  if (fields.problems().size() == before) check_login(fields, listener);
  if (fields.problems().size() == before) check_replicas(fields, sql);
}

}  // namespace ambassador::api
