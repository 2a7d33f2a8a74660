#include "common/tls/source.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/ssl/context.hpp>
#include <cstdio>
#include <memory>

#include "common/tls/file.hpp"
#include "common/tls/openssl.hpp"

namespace ambassador::tls {
namespace {

template <class T, void (*F)(T*)>
struct Free {
  void operator()(T* pointer) const { F(pointer); }
};
using X509Pointer = std::unique_ptr<X509, Free<X509, X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using BioPointer = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;

BioPointer bio_of(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string text_of_name(const X509_NAME* name) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string text_of_serial(const X509* certificate) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  i2a_ASN1_INTEGER(bio.get(), X509_get0_serialNumber(certificate));
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// Clients offer "http/1.1", and Go's "h2" before it: HTTP/1.1 is what we speak. No common one: go on
/// without.
int select_http1(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                 unsigned in_size, void*) {
  static const unsigned char ours[] = "\x08http/1.1";
  const int found =
      SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, ours, sizeof ours - 1, in, in_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<Source::Loaded> Source::load(std::string_view certificate_pem, std::string_view key_pem) {
  ERR_clear_error();
  if (certificate_pem.size() > kMaxPemBytes || key_pem.size() > kMaxPemBytes) {
    return Error{"certificate", "is larger than 1 MiB; give PEM text"};
  }
  const auto certificates = bio_of(certificate_pem);
  const X509Pointer leaf(PEM_read_bio_X509(certificates.get(), nullptr, no_passphrase, nullptr));
  if (!leaf) return Error{"certificate", "is not a PEM certificate (" + openssl_reason() + ")"};
  const auto key_text = bio_of(key_pem);
  const KeyPointer key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr));
  if (!key) return Error{"key", "is not an unencrypted PEM private key (" + openssl_reason() + ")"};
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    ERR_clear_error();
    return Error{"key",
                 "does not belong to the certificate " + text_of_name(X509_get_subject_name(leaf.get()))};
  }

  namespace ssl = boost::asio::ssl;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // 34 KiB less for each idle connection
  SSL_CTX_set_alpn_select_cb(raw, select_http1, nullptr);
  if (SSL_CTX_use_certificate(raw, leaf.get()) != 1 || SSL_CTX_use_PrivateKey(raw, key.get()) != 1) {
    return Error{"certificate", "cannot be used (" + openssl_reason() + ")"};
  }
  while (true) {
    const X509Pointer next(PEM_read_bio_X509(certificates.get(), nullptr, no_passphrase, nullptr));
    if (!next) break;
    SSL_CTX_add1_chain_cert(raw, next.get());
  }
  ERR_clear_error();  // the end of the PEM text is no error
  return Loaded{std::move(context),
                {text_of_name(X509_get_subject_name(leaf.get())), text_of_serial(leaf.get()),
                 time_of(X509_get0_notBefore(leaf.get())), time_of(X509_get0_notAfter(leaf.get()))}};
}

Result<std::shared_ptr<Source>> Source::from_pem(std::string_view certificate_pem, std::string_view key_pem) {
  auto loaded = load(certificate_pem, key_pem);
  if (!loaded) return loaded.error();
  return std::shared_ptr<Source>(new Source(std::move(*loaded)));
}

Result<void> Source::replace_pem(std::string_view certificate_pem, std::string_view key_pem) {
  auto loaded = load(certificate_pem, key_pem);
  if (!loaded) return loaded.error();
  const std::lock_guard lock(mutex_);
  loaded_ = std::move(*loaded);
  return {};
}

Result<std::shared_ptr<Source>> Source::from_files(const std::string& certificate_path,
                                                   const std::string& key_path) {
  const auto certificate = read_file(certificate_path, kMaxPemBytes);
  if (!certificate) return certificate.error();
  const auto key = read_file(key_path, kMaxPemBytes);
  if (!key) return key.error();
  return from_pem(*certificate, *key);
}

Result<void> Source::replace_files(const std::string& certificate_path, const std::string& key_path) {
  const auto certificate = read_file(certificate_path, kMaxPemBytes);
  if (!certificate) return certificate.error();
  const auto key = read_file(key_path, kMaxPemBytes);
  if (!key) return key.error();
  return replace_pem(*certificate, *key);
}

std::shared_ptr<boost::asio::ssl::context> Source::current() const {
  const std::lock_guard lock(mutex_);
  return loaded_.context;
}

CertificateInfo Source::info() const {
  const std::lock_guard lock(mutex_);
  return loaded_.info;
}

}  // namespace ambassador::tls
