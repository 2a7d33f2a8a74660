// Where a socket binds or connects: an IPv4 or IPv6 address with port, or a Unix socket's path. A plain
// value, used by listeners, lanes and health probes alike. Never resolves a name.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ambassador::proxy::net {

class Address {
 public:
  Address() = default;

  /// An IPv4 or IPv6 literal (without brackets, scope ids allowed); nullopt when `literal` is a name.
  static std::optional<Address> ip(std::string_view literal, std::uint16_t port);
  /// An absolute path; nullopt when it is longer than a Unix address can hold (107 bytes).
  static std::optional<Address> unix_path(std::string_view path);
  /// From the kernel (accept, getsockname) or a resolver.
  static Address from(const sockaddr* address, socklen_t length);

  /// The same with another port; a Unix path stays as it is.
  [[nodiscard]] Address with_port(std::uint16_t port) const;

  /// "127.0.0.1:6379", "[::1]:6379" or "unix:/run/x.sock".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }
  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
  [[nodiscard]] std::uint16_t port() const;

  friend bool operator==(const Address& a, const Address& b) { return a.text() == b.text(); }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

using Addresses = std::vector<Address>;

}  // namespace ambassador::proxy::net
