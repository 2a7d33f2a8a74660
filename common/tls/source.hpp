// Certificate and key of a server, swappable while it runs: each new connection takes what is current, living
// ones keep what they began with. Used by common/http and proxy/net; written by operator/certs and by file
// watches. TLS 1.2 and newer.
//
// Threads: every member may be called by every thread.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/result/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace ambassador::tls {

/// A certificate chain or key file larger than this is not one.
inline constexpr std::size_t kMaxPemBytes = std::size_t{1024} * 1024;

/// What the current certificate says of itself.
struct CertificateInfo {
  std::string subject;
  std::string serial;  // hexadecimal
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
};

class Source {
 public:
  /// `certificate_pem`: the leaf first, then its chain; `key_pem`: its private key, not encrypted. An Error
  /// says which of the two is wrong, or that they do not belong together.
  static Result<std::shared_ptr<Source>> from_pem(std::string_view certificate_pem, std::string_view key_pem);
  static Result<std::shared_ptr<Source>> from_files(const std::string& certificate_path,
                                                    const std::string& key_path);

  /// Takes the new pair for connections from now on; on an Error the old pair stays.
  Result<void> replace_pem(std::string_view certificate_pem, std::string_view key_pem);
  Result<void> replace_files(const std::string& certificate_path, const std::string& key_path);

  /// For one new server connection; hold it as long as the connection lives. Never null.
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;
  [[nodiscard]] CertificateInfo info() const;

 private:
  struct Loaded {
    std::shared_ptr<boost::asio::ssl::context> context;
    CertificateInfo info;
  };
  static Result<Loaded> load(std::string_view certificate_pem, std::string_view key_pem);
  explicit Source(Loaded loaded) : loaded_(std::move(loaded)) {}

  mutable std::mutex mutex_;
  Loaded loaded_;
};

}  // namespace ambassador::tls
