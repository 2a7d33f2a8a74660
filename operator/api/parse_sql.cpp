#include <algorithm>

#include "operator/api/parse_parts.hpp"

namespace ambassador::api {
namespace {

using config::Authentication;
using config::Pooling;
using config::TlsMode;

/// PostgreSQL keeps 63 bytes of a name (NAMEDATALEN).
constexpr std::size_t kMostDatabase = 63;

/// `secretRef` below `key`; the Secret's name, and its key where one has to be named.
std::optional<SecretKey> read_secret(Fields& outer, std::string_view key, bool with_key) {
  const auto* object = outer.object(key);
  if (object == nullptr) return std::nullopt;
  Fields around(*object, outer.path(key), outer.problems());
  around.required("secretRef", with_key ? "the Secret's name and key" : "the Secret's name");
  SecretKey secret;
  if (const auto* reference = around.object("secretRef")) {
    Fields fields(*reference, around.path("secretRef"), outer.problems());
    fields.required("name", "the Secret's name");
    const auto name = fields.string("name");
    if (name && !is_dns_name(*name)) {
      fields.problems().invalid(fields.path("name"), shown(*name) + " is no name of a Secret");
    }
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
  }
  around.finish();
  return secret;
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

/// `postgresql`; what is written of authentication, before the default.
std::optional<Authentication> read_block(Fields& listener_fields, Sql& sql) {
  const auto* object = listener_fields.object("postgresql");
  if (object == nullptr) return std::nullopt;
  Fields fields(*object, listener_fields.path("postgresql"), listener_fields.problems());
  const auto authentication = fields.choice("authentication", kAuthentications);
  sql.pooling = fields.choice("pooling", kPoolings).value_or(Pooling::session);
  fields.not_yet_unless("readWriteSplit", "Disabled", "use Disabled, and a listener for each role");
  fields.not_yet("readPort", "remove it, and add a listener for the replicas");
  fields.not_yet("maxLag", "remove it");
  fields.not_yet_unless("causalReads", "Disabled", "use Disabled");
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
  if (!sql.credentials.empty() && tls.mode == TlsMode::disabled) {
    fields.problems().invalid(fields.path("credentials"),
                              "are not used with Passthrough and without tls: remove them, or use "
                              "authentication Proxy");
  }
}

}  // namespace

void read_postgresql(Fields& fields, Listener& listener) {
  Sql& sql = listener.sql;
  const std::size_t before = fields.problems().size();
  if (const auto secret = read_secret(fields, "credentials", false)) sql.credentials = secret->secret;
  read_tls(fields, listener.tls);
  read_database(fields, sql);
  const auto authentication = read_block(fields, sql);
  sql.authentication =
      authentication.value_or(sql.credentials.empty() ? Authentication::passthrough : Authentication::proxy);
  if (fields.problems().size() == before) check_login(fields, sql, listener.tls);
}

}  // namespace ambassador::api
