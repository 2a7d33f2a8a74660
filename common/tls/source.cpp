#include "common/tls/source.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/ssl/context.hpp>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

namespace ambassador::tls {
namespace {

// Why OpenSSL refused; empties its queue, which belongs to the thread and would blame the next caller.
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "not readable as PEM" : reason;
}

std::chrono::system_clock::time_point to_time(const ASN1_TIME* time) {
  std::tm utc{};
  return ASN1_TIME_to_tm(time, &utc) == 1 ? std::chrono::system_clock::from_time_t(timegm(&utc))
                                          : std::chrono::system_clock::time_point{};
}

std::string serial_of(const X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* text = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string serial = text == nullptr ? "" : text;
  OPENSSL_free(text);
  BN_free(number);
  return serial;
}

CertificateInfo describe(const X509* certificate) {
  char subject[256] = {};
  X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
  return {subject, serial_of(certificate), to_time(X509_get0_notBefore(certificate)),
          to_time(X509_get0_notAfter(certificate))};
}

Result<std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{path, "cannot be read; is the Secret mounted and the path right?"};
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > kMaxPemBytes) {
    return Error{path, "is larger than 1 MiB: not a PEM file of certificates or a key"};
  }
  return text;
}

// Certificate and key as read from the two files, or what is wrong with one of them.
Result<std::pair<std::string, std::string>> read_pair(const std::string& certificate_path,
                                                      const std::string& key_path) {
  Result<std::string> certificate = read_pem(certificate_path);
  if (!certificate) {
    return certificate.error();
  }
  Result<std::string> key = read_pem(key_path);
  if (!key) {
    return key.error();
  }
  return std::pair(std::move(certificate).value(), std::move(key).value());
}

}  // namespace

Result<Source::Loaded> Source::load(std::string_view certificate_pem, std::string_view key_pem) {
  namespace ssl = boost::asio::ssl;
  ERR_clear_error();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->use_certificate_chain({certificate_pem.data(), certificate_pem.size()}, error);
  if (error) {
    return Error{"certificate", openssl_reason() + "; expected PEM, the server's certificate first"};
  }
  context->use_private_key({key_pem.data(), key_pem.size()}, ssl::context::pem, error);
  if (error) {
    const unsigned long code = ERR_peek_last_error();
    const bool mismatch = ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH;
    const std::string reason = openssl_reason();
    return mismatch
               ? Error{"key", "does not belong to the certificate: give the pair that was issued together"}
               : Error{"key", reason + "; expected the certificate's private key in PEM, not encrypted"};
  }
  SSL_CTX* native = context->native_handle();
  if (SSL_CTX_check_private_key(native) != 1) {
    ERR_clear_error();
    return Error{"key", "does not belong to the certificate: give the pair that was issued together"};
  }
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // Without a session id context, resumption fails where client certificates are asked for (OpenSSL 3).
  constexpr unsigned char kSessionContext[] = "ambassador";
  SSL_CTX_set_session_id_context(native, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // idle connections hold no buffer
  return Loaded{std::move(context), describe(SSL_CTX_get0_certificate(native))};
}

Result<std::shared_ptr<Source>> Source::from_pem(std::string_view certificate_pem, std::string_view key_pem) {
  Result<Loaded> loaded = load(certificate_pem, key_pem);
  if (!loaded) {
    return loaded.error();
  }
  return std::shared_ptr<Source>(new Source(std::move(loaded).value()));
}

Result<std::shared_ptr<Source>> Source::from_files(const std::string& certificate_path,
                                                   const std::string& key_path) {
  const auto pair = read_pair(certificate_path, key_path);
  return pair ? from_pem(pair->first, pair->second) : Result<std::shared_ptr<Source>>(pair.error());
}

Result<void> Source::replace_pem(std::string_view certificate_pem, std::string_view key_pem) {
  Result<Loaded> loaded = load(certificate_pem, key_pem);
  if (!loaded) {
    return loaded.error();
  }
  const std::lock_guard lock(mutex_);
  loaded_ = std::move(loaded).value();
  return {};
}

Result<void> Source::replace_files(const std::string& certificate_path, const std::string& key_path) {
  const auto pair = read_pair(certificate_path, key_path);
  return pair ? replace_pem(pair->first, pair->second) : Result<void>(pair.error());
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
