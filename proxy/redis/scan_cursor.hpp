// SCAN over several servers with one numeric cursor: the lowest bits are the server's number, the rest is its
// own cursor (a bit-reversed hash-table index, far smaller than the 51 bits there are). A client thus scans
// the servers one after the other, and clients that take cursors for numbers are content. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace ambassador::proxy::redis {

struct ScanCursor {
  static constexpr unsigned kServerBits = 12;
  static constexpr std::uint64_t kMaxServers = std::uint64_t{1} << kServerBits;

  std::uint32_t server = 0;
  std::uint64_t cursor = 0;  // the server's own

  [[nodiscard]] static ScanCursor decoded(std::uint64_t number) {
    return {static_cast<std::uint32_t>(number % kMaxServers), number >> kServerBits};
  }
  /// Nothing when the server's cursor is too large. At most 63 bits: some clients have no unsigned numbers.
  [[nodiscard]] std::optional<std::uint64_t> encoded() const {
    if (cursor >> (63 - kServerBits) != 0) return std::nullopt;
    return cursor << kServerBits | server;
  }
  /// Where the scan goes on after a server answered with `next`: there, or at the start of the next one of
  /// `servers`; {0, 0} when it was the last.
  [[nodiscard]] ScanCursor after(std::uint64_t next, std::uint64_t servers) const {
    if (next != 0) return {server, next};
    if (server + 1 < servers) return {server + 1, 0};
    return {};
  }
};

}  // namespace ambassador::proxy::redis
