#include "operator/certs/authority.hpp"

#include <openssl/pem.h>

#include <algorithm>

#include "operator/certs/openssl.hpp"

namespace ambassador::certs {

namespace {

using namespace openssl;

/// RFC 5280 4.1.2.2: positive, at most 20 octets; 127 random bits never repeat.
bool set_serial(X509* certificate) {
  const BigNumber number(BN_new());
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, Time from, Time until) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), std::chrono::system_clock::to_time_t(from)) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), std::chrono::system_clock::to_time_t(until)) !=
             nullptr;
}

/// RFC 5280 A.1, ub-common-name: more is refused by OpenSSL.
constexpr std::size_t kMaxCommonName = 64;

bool set_subject(X509* certificate, const std::string& common_name) {
  const auto text = common_name.substr(0, kMaxCommonName);
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// Names go in as values, not through OpenSSL's configuration syntax, where a comma would begin another one.
bool add_dns_names(X509* certificate, const std::vector<std::string>& dns_names) {
  const Names names(GENERAL_NAMES_new());
  if (!names) return false;
  for (const auto& dns_name : dns_names) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    if (name == nullptr || text == nullptr) return false;
    if (ASN1_STRING_set(text, dns_name.data(), static_cast<int>(dns_name.size())) != 1) return false;
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    if (sk_GENERAL_NAME_push(names.get(), name) == 0) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

Result<KeyPair> to_pem(X509* certificate, EVP_PKEY* key) {
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  if (!certificate_text || !key_text || PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return last_error("certificate");
  }
  return KeyPair{written(certificate_text.get()), written(key_text.get())};
}

}  // namespace

Result<KeyPair> make_ca(Time now) {
  const Key key(EVP_EC_gen("P-256"));
  const X509Ptr ca(X509_new());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  // A name of its own for each CA: a verifier that holds two must not try the wrong one first.
  const std::string name = "ambassador-operator CA " + std::to_string(seconds);
  const bool made = key && ca && X509_set_version(ca.get(), X509_VERSION_3) == 1 && set_serial(ca.get()) &&
                    set_validity(ca.get(), now - kBackdate, now + kCaLifetime) &&
                    set_subject(ca.get(), name) &&
                    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1 &&
                    X509_set_pubkey(ca.get(), key.get()) == 1 &&
                    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash") &&
                    X509_sign(ca.get(), key.get(), EVP_sha256()) > 0;
  if (!made) return last_error("CA");
  return to_pem(ca.get(), key.get());
}

Result<KeyPair> issue(const KeyPair& ca, const std::vector<std::string>& dns_names, Time now) {
  if (dns_names.empty()) return Error{"certificate", "needs at least one DNS name"};
  const Bio ca_text = reader(ca.certificate);
  const X509Ptr issuer = next_certificate(ca_text.get());
  const Key issuer_key = read_key(ca.key);
  if (!issuer || !issuer_key || X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    ERR_clear_error();
    return Error{"CA", "its certificate and its key do not belong together"};
  }
  const Key key(EVP_EC_gen("P-256"));
  const X509Ptr leaf(X509_new());
  bool made = key && leaf && X509_set_version(leaf.get(), X509_VERSION_3) == 1 && set_serial(leaf.get()) &&
              set_validity(leaf.get(), now - kBackdate, now + kCertificateLifetime);
  if (made && ASN1_TIME_compare(X509_get0_notAfter(issuer.get()), X509_get0_notAfter(leaf.get())) < 0) {
    made = X509_set1_notAfter(leaf.get(), X509_get0_notAfter(issuer.get())) == 1;
  }
  made = made && set_subject(leaf.get(), dns_names.front()) &&
         X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer.get())) == 1 &&
         X509_set_pubkey(leaf.get(), key.get()) == 1 &&
         add_extension(leaf.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(leaf.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
         add_extension(leaf.get(), issuer.get(), NID_ext_key_usage, "serverAuth") &&
         add_extension(leaf.get(), issuer.get(), NID_subject_key_identifier, "hash") &&
         add_extension(leaf.get(), issuer.get(), NID_authority_key_identifier, "keyid") &&
         add_dns_names(leaf.get(), dns_names) && X509_sign(leaf.get(), issuer_key.get(), EVP_sha256()) > 0;
  if (!made) return last_error("certificate");
  return to_pem(leaf.get(), key.get());
}

}  // namespace ambassador::certs
