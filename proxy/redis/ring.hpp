// Which server holds a key: twemproxy's distributions, look-up for look-up. Used by the session (every key of
// every command) and by `ambassador-proxy locate`. Pure and immutable: any thread may look up.
//
// Source: twemproxy 0.5, src/hashkit/nc_{ketama,modula,random}.c, src/nc_server.c; the rules that are easy to
// get wrong are named where they are followed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"

namespace ambassador::proxy::redis {

/// A server on the ring. `name` is what is hashed; see ring_name.
struct RingServer {
  std::string name;
  unsigned weight = 1;
  friend bool operator==(const RingServer&, const RingServer&) = default;
};

/// The name by which twemproxy puts a backend on the ring: its own name if it has one, else "host:port",
/// "host" alone when the port is 11211, and "/path:" for a Unix socket.
[[nodiscard]] std::string ring_name(const config::Backend& backend);

/// The servers of a listener as the ring wants them, in the listener's order.
[[nodiscard]] std::vector<RingServer> ring_servers(std::span<const config::Backend> backends);

/// What of a key is hashed: with a hash tag of two characters, the part between the first opening character
/// and the first closing one after it, if that part is not empty; else the whole key.
[[nodiscard]] std::string_view tagged_part(std::string_view key, std::string_view hash_tag);

class Ring {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  Ring() = default;
  /// `hash_tag` is empty or has two characters. With `live` (one flag per server) only those servers are on
  /// the ring; empty means all. With one server configured nothing is hashed.
  Ring(std::span<const RingServer> servers, config::Hash hash, config::Distribution distribution,
       std::string_view hash_tag, const std::vector<bool>& live = {});

  /// The index in `servers` of the one that holds `key`; kNone when no server is on the ring. `random`
  /// decides for Distribution::random and is ignored by the others.
  [[nodiscard]] std::uint32_t locate(std::string_view key, std::uint32_t random = 0) const;

 private:
  void place_ketama(std::span<const RingServer> servers, std::span<const std::uint32_t> live);
  [[nodiscard]] std::uint32_t on_ketama(std::uint32_t hash) const;

  config::Hash hash_ = config::Hash::fnv1a_64;
  config::Distribution distribution_ = config::Distribution::ketama;
  std::string hash_tag_;
  std::uint32_t only_ = kNone;           // the one server, when nothing is hashed
  std::vector<std::uint32_t> points_;    // ketama: sorted; others: empty
  std::vector<std::uint32_t> owners_;    // ketama: of each point; others: the list of servers by weight
  std::vector<std::uint32_t> first_of_;  // ketama: first point at or after each slice of the 32-bit circle
  unsigned slice_shift_ = 0;
};

}  // namespace ambassador::proxy::redis
