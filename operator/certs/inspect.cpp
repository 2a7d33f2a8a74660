#include "operator/certs/inspect.hpp"

#include <openssl/pem.h>

#include <ctime>

#include "operator/certs/openssl.hpp"

namespace ambassador::certs {

namespace {

using namespace openssl;

using Stack =
    std::unique_ptr<STACK_OF(X509), Deleter<[](STACK_OF(X509) * all) { sk_X509_pop_free(all, X509_free); }>>;

Time to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::vector<std::string> dns_names_of(X509* certificate) {
  std::vector<std::string> found;
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    // With its length: a NUL in the middle must not make another name of it.
    found.emplace_back(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return found;
}

Certificate describe(X509* x509) {
  Certificate certificate;
  const Bio pem(BIO_new(BIO_s_mem()));
  if (pem && PEM_write_bio_X509(pem.get(), x509) == 1) certificate.pem = written(pem.get());
  const Bio subject(BIO_new(BIO_s_mem()));
  if (subject && X509_NAME_print_ex(subject.get(), X509_get_subject_name(x509), 0, XN_FLAG_RFC2253) >= 0) {
    certificate.subject = written(subject.get());
  }
  certificate.dns_names = dns_names_of(x509);
  certificate.not_before = to_time(X509_get0_notBefore(x509));
  certificate.not_after = to_time(X509_get0_notAfter(x509));
  certificate.is_ca = X509_check_ca(x509) == 1;
  return certificate;
}

std::vector<X509Ptr> read_all(std::string_view pem) {
  std::vector<X509Ptr> found;
  const Bio bio = reader(pem);
  while (found.size() < kMaxCertificates) {
    auto certificate = next_certificate(bio.get());
    if (!certificate) break;
    found.push_back(std::move(certificate));
  }
  return found;
}

}  // namespace

std::vector<Certificate> read_certificates(std::string_view pem) {
  std::vector<Certificate> certificates;
  for (const auto& x509 : read_all(pem)) certificates.push_back(describe(x509.get()));
  return certificates;
}

bool key_fits(std::string_view pem, std::string_view key) {
  const auto certificates = read_all(pem);
  const Key private_key = read_key(key);
  const bool fits = !certificates.empty() && private_key &&
                    X509_check_private_key(certificates.front().get(), private_key.get()) == 1;
  ERR_clear_error();
  return fits;
}

Result<void> verify(std::string_view chain, std::string_view bundle, const std::string& dns_name, Time at) {
  const auto certificates = read_all(chain);
  if (certificates.empty()) return Error{"certificate", "there is none"};
  const Store store(X509_STORE_new());
  for (const auto& ca : read_all(bundle)) X509_STORE_add_cert(store.get(), ca.get());
  const Stack intermediates(sk_X509_new_null());
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    X509_up_ref(certificates[i].get());
    sk_X509_push(intermediates.get(), certificates[i].get());
  }
  const StoreContext context(X509_STORE_CTX_new());
  if (!store || !intermediates || !context ||
      X509_STORE_CTX_init(context.get(), store.get(), certificates.front().get(), intermediates.get()) != 1) {
    return last_error("certificate");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(at));
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  // As Go's verifier: a trusted certificate need not be self-signed.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set1_host(parameters, dns_name.c_str(), dns_name.size());
  const bool taken = X509_verify_cert(context.get()) == 1;
  const int reason = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (!taken) return Error{"certificate for " + dns_name, X509_verify_cert_error_string(reason)};
  return {};
}

}  // namespace ambassador::certs
