// OpenSSL 3's objects as owned values, for the .cpp files of this room alone.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "common/result/result.hpp"

namespace ambassador::certs::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

using Time = std::chrono::system_clock::time_point;

/// The oldest error of this thread's queue, which is emptied: what went wrong first is what matters.
Error last_error(std::string where);

/// Reads from text without copying it; the text must outlive the Bio.
Bio reader(std::string_view text);
/// What was written into a memory Bio.
std::string written(BIO* bio);

/// The next certificate of a PEM text; null at its end or where it is not one (tell apart by the text left).
X509Ptr next_certificate(BIO* pem);
/// An unencrypted private key; null where it is not one. Never asks a terminal for a pass phrase.
Key read_key(std::string_view pem);

}  // namespace ambassador::certs::openssl
