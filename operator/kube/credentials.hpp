// The files behind a Config, read again when they change: tokens rotate every hour, CAs and client
// certificates some day. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "operator/kube/config.hpp"

namespace ambassador::kube {

/// One Material whose file is looked at no more often than `interval`.
class WatchedMaterial {
 public:
  explicit WatchedMaterial(Material material) : material_(std::move(material)) {}
  /// The text now. A file that cannot be read (or is empty, half-way through a rotation) keeps the last good
  /// text.
  std::string read(std::chrono::milliseconds interval);
  /// The next read() looks at the file, however fresh it is.
  void forget();

 private:
  const Material material_;
  std::mutex mutex_;
  std::string text_;
  std::chrono::steady_clock::time_point read_at_{};
};

/// What a TLS connection is made of; two equal ones need no new connection pool.
struct TlsMaterial {
  std::string ca;
  std::string certificate;
  std::string key;
  friend bool operator==(const TlsMaterial&, const TlsMaterial&) = default;
};

class Credentials {
 public:
  explicit Credentials(Config config);
  [[nodiscard]] const Config& config() const { return config_; }
  /// The bearer token without white space around it; "" = none.
  std::string token();
  /// The server refused the token: look at the file again.
  void token_refused() { token_.forget(); }
  TlsMaterial tls();

 private:
  const Config config_;
  WatchedMaterial token_;
  WatchedMaterial ca_;
  WatchedMaterial certificate_;
  WatchedMaterial key_;
};

}  // namespace ambassador::kube
