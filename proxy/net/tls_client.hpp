// How the proxy speaks TLS to servers: whom it believes, what it shows of itself. Made from a listener's
// configuration by Proxy, shared by the workers; files that have changed are read again without a reload.
//
// Threads: every member may be called by every thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>

#include "common/config/document.hpp"
#include "common/result/result.hpp"

namespace ambassador::proxy::net {

class TlsClient {
 public:
  /// An Error names the file that can't be used. `tls.mode` is not disabled.
  static Result<std::shared_ptr<TlsClient>> make(const config::ServerTls& tls);

  /// Reads the files again, for connections from now on; on an Error the old ones stay.
  Result<void> reload();
  /// For one new connection to `host` (a name, an IP literal or a Unix socket's path), ready for the
  /// handshake; null: out of memory.
  [[nodiscard]] std::unique_ptr<SSL, void (*)(SSL*)> connection(const std::string& host) const;
  [[nodiscard]] const config::ServerTls& config() const { return config_; }

 private:
  using Context = std::shared_ptr<SSL_CTX>;
  explicit TlsClient(config::ServerTls config, Context context)
      : config_(std::move(config)), context_(std::move(context)) {}
  static Result<Context> load(const config::ServerTls& tls);

  const config::ServerTls config_;
  mutable std::mutex mutex_;
  Context context_;
};

}  // namespace ambassador::proxy::net
