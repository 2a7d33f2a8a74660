#include "operator/certs/openssl.hpp"

#include <openssl/pem.h>

#include <array>

namespace ambassador::certs::openssl {

Error last_error(std::string where) {
  const auto code = ERR_get_error();
  ERR_clear_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return Error{std::move(where), code == 0 ? "OpenSSL refused it" : text.data()};
}

Bio reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

X509Ptr next_certificate(BIO* pem) {
  X509Ptr certificate(PEM_read_bio_X509(pem, nullptr, nullptr, nullptr));
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  return certificate;
}

Key read_key(std::string_view pem) {
  const auto no_pass_phrase = [](char*, int, int, void*) { return 0; };
  const Bio bio = reader(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  return key;
}

}  // namespace ambassador::certs::openssl
