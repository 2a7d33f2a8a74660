#include "proxy/net/tls_client.hpp"

#include <openssl/x509v3.h>

#include "common/tls/openssl.hpp"
#include "proxy/net/address.hpp"

namespace ambassador::proxy::net {
Result<TlsClient::Context> TlsClient::load(const config::ServerTls& tls) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* const raw = context.get();
  if (raw == nullptr) return Error{"tls", "cannot be set up (" + tls::openssl_reason() + ")"};
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(raw, tls::no_passphrase);
  if (tls.mode == config::TlsMode::verify_ca || tls.mode == config::TlsMode::verify_full) {
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    const bool loaded = tls.ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(raw) == 1
                            : SSL_CTX_load_verify_locations(raw, tls.ca_file.c_str(), nullptr) == 1;
    if (!loaded) return Error{tls.ca_file, "has no CA certificates in PEM (" + tls::openssl_reason() + ")"};
  } else {
    SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nullptr);
  }
  if (!tls.certificate_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(raw, tls.certificate_file.c_str()) != 1)
      return Error{tls.certificate_file, "has no certificate in PEM (" + tls::openssl_reason() + ")"};
    if (SSL_CTX_use_PrivateKey_file(raw, tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
      return Error{tls.key_file, "has no unencrypted private key in PEM that belongs to the certificate (" +
                                     tls::openssl_reason() + ")"};
  }
  ERR_clear_error();
  return context;
}

Result<std::shared_ptr<TlsClient>> TlsClient::make(const config::ServerTls& tls) {
  auto context = load(tls);
  if (!context) return context.error();
  return std::shared_ptr<TlsClient>(new TlsClient(tls, std::move(*context)));
}

Result<void> TlsClient::reload() {
  auto context = load(config_);
  if (!context) return context.error();
  const std::lock_guard lock(mutex_);
  context_ = std::move(*context);
  return {};
}

std::unique_ptr<SSL, void (*)(SSL*)> TlsClient::connection(const std::string& host) const {
  Context context;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
  }
  std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  if (!ssl) return ssl;
  SSL_set_connect_state(ssl.get());
  const bool is_ip = Address::ip(host, 0).has_value();
  const bool is_name = !is_ip && !host.starts_with('/');
  // A name that ends in a dot is the same host, but no certificate has it so (RFC 6066, 3).
  const std::string name = is_name && host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  if (is_name) SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  if (config_.mode == config::TlsMode::verify_full) {
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl.get());
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const int set = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                          : X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size());
    if (set != 1) ssl.reset();
  }
  return ssl;
}

}  // namespace ambassador::proxy::net
