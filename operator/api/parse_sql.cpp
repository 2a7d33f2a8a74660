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

/// As the proxy takes it: below, servers would be asked all the time.
constexpr std::chrono::milliseconds kLeastLag{100};
constexpr std::chrono::hours kMostLag{168};

/// `secretRef`: the Secret's name, and its key where one has to be named.
std::optional<SecretKey> read_reference(Fields& around, bool with_key) {
  const auto* object = around.object("secretRef");
  if (object == nullptr) return std::nullopt;
  Fields fields(*object, around.path("secretRef"), around.problems());
  fields.required("name", "the Secret's name");
  const auto name = fields.string("name");
  if (name && !is_dns_name(*name)) {
    fields.problems().invalid(fields.path("name"), shown(*name) + " is no name of a Secret");
  }
  SecretKey secret;
  secret.secret = name.value_or("");
  if (const auto* ns = fields.get("namespace")) {
    fields.problems().invalid(fields.path("namespace"),
                              shown(*ns) +
                                  " is not allowed, because credentials come from the Pod's own namespace: "
                                  "remove it, and copy the Secret there");
  }
  if (with_key) {
    fields.required("key", "the key within the Secret, such as ca.crt");
    const auto word = fields.string("key");
    if (word && !is_secret_key(*word)) {
      fields.problems().invalid(fields.path("key"),
                                shown(*word) + " is no key of a Secret: use A-Z, a-z, 0-9, -, _ and .");
    }
    secret.key = word.value_or("");
  }
  fields.finish();
  return secret;
}

/// `key`, which holds `secretRef` and nothing else.
std::optional<SecretKey> read_secret(Fields& outer, std::string_view key, bool with_key) {
  const auto* object = outer.object(key);
  if (object == nullptr) return std::nullopt;
  Fields around(*object, outer.path(key), outer.problems());
  around.required("secretRef", with_key ? "the Secret's name and key" : "the Secret's name");
  const auto secret = read_reference(around, with_key).value_or(SecretKey{});
  around.finish();
  return secret;
}

/// `clientAuth`. Its mode is written, or the CRD's default.
void read_client_auth(Fields& listener_fields, Sql& sql) {
  const auto* object = listener_fields.object("clientAuth");
  if (object == nullptr) return;
  Fields fields(*object, listener_fields.path("clientAuth"), listener_fields.problems());
  const bool password = fields.choice("mode", kClientAuthModes).value_or(false);
  const std::size_t before = fields.problems().size();
  const auto secret = read_reference(fields, false);
  if (!password && secret) {
    fields.problems().invalid(fields.path("secretRef"), "is for mode Password: give that, or remove it");
  } else if (password && !secret && fields.problems().size() == before) {
    fields.problems().invalid(
        fields.path("secretRef"),
        "is missing, and mode Password needs it: name the Secret with username and password");
  }
  if (secret) sql.client_credentials = secret->secret;
  fields.finish();
}

/// `tls` without a mode means VerifyFull, as the CRD says: whoever writes it wants to be sure.
void read_tls(Fields& listener_fields, ServerTls& tls) {
  const auto* object = listener_fields.object("tls");
  if (object == nullptr) return;
  Fields fields(*object, listener_fields.path("tls"), listener_fields.problems());
  tls.mode = fields.choice("mode", kTlsModes).value_or(TlsMode::verify_full);
  tls.ca = read_secret(fields, "ca", true);
  if (tls.ca && (tls.mode == TlsMode::disabled || tls.mode == TlsMode::require)) {
    fields.problems().invalid(fields.path("ca"), "is not looked at in mode " +
                                                     std::string(print(kTlsModes, tls.mode)) +
                                                     ": use VerifyFull or VerifyCA, or remove it");
  }
  fields.finish();
}

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
  const auto lag = fields.duration("maxLag", kLeastLag, kMostLag);
  if (lag && !splits && sql.read_port == 0) {
    fields.problems().invalid(fields.path("maxLag"),
                              shown(*fields.get("maxLag")) +
                                  " is of replicas, and nobody reads from them: give readPort or "
                                  "readWriteSplit, or remove it");
  }
  sql.max_lag = lag.value_or(sql.max_lag);
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
void check_login(Fields& fields, const Sql& sql, const ServerTls& tls) {
  const std::string block = fields.path("postgresql");
  if (sql.authentication == Authentication::proxy) {
    if (!sql.credentials.empty()) return;
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
  if (!sql.client_credentials.empty()) {
    fields.problems().invalid(
        fields.path("clientAuth") + ".mode",
        "\"Password\" needs authentication Proxy and credentials, because with Passthrough "
        "clients log in at the server: give both, or use None");
  }
  if (!sql.credentials.empty() && tls.mode == TlsMode::disabled) {
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
  if (const auto secret = read_secret(fields, "credentials", false)) sql.credentials = secret->secret;
  if (const auto secret = read_secret(fields, "listenerTLS", false)) listener.own_tls = secret->secret;
  read_client_auth(fields, sql);
  read_tls(fields, listener.tls);
  read_database(fields, sql);
  const auto authentication = read_block(fields, listener);
  sql.authentication =
      authentication.value_or(sql.credentials.empty() ? Authentication::passthrough : Authentication::proxy);
  if (fields.problems().size() == before) check_login(fields, sql, listener.tls);
  if (fields.problems().size() == before) check_replicas(fields, sql);
}

}  // namespace ambassador::api
