// What whoever loads keys and certificates by OpenSSL needs of it. Any thread: OpenSSL's queue of errors is
// the calling thread's.
#pragma once

#include <openssl/err.h>

#include <string>

namespace ambassador::tls {

/// What OpenSSL complained of last; clears its queue.
inline std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

/// A pem_password_cb that never asks a terminal for a passphrase.
inline int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return 0;
}

}  // namespace ambassador::tls
