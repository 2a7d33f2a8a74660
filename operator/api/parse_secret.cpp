#include "operator/api/parse_parts.hpp"

namespace ambassador::api {

using config::TlsMode;

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

std::optional<SecretKey> read_secret(Fields& outer, std::string_view key, bool with_key) {
  const auto* object = outer.object(key);
  if (object == nullptr) return std::nullopt;
  Fields around(*object, outer.path(key), outer.problems());
  around.required("secretRef", with_key ? "the Secret's name and key" : "the Secret's name");
  const auto secret = read_reference(around, with_key).value_or(SecretKey{});
  around.finish();
  return secret;
}

namespace {

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

/// `clientAuth`. Its mode is written, or the CRD's default.
void read_client_auth(Fields& listener_fields, Listener& listener) {
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
  if (secret) listener.client_credentials = secret->secret;
  fields.finish();
}

}  // namespace

void read_logins_and_tls(Fields& fields, Listener& listener) {
  if (const auto secret = read_secret(fields, "credentials", false)) listener.credentials = secret->secret;
  read_tls(fields, listener.tls);
  if (const auto secret = read_secret(fields, "listenerTLS", false)) listener.own_tls = secret->secret;
  read_client_auth(fields, listener);
}

}  // namespace ambassador::api
