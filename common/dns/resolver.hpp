// Asks DNS through c-ares without ever blocking: addresses (A and AAAA, /etc/hosts and IP literals too) and
// services (SRV). Used by the proxy for its backends and by the operator for discovery. Never caches: callers
// keep the last good answer and ask again when its time is up.
//
// Threads: a Resolver belongs to one io_context run by one thread; every member is called on it.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/result/result.hpp"

namespace boost::asio {
class io_context;
}

namespace ambassador::dns {

enum class Outcome {
  found,        // at least one record
  not_found,    // the name does not exist, or has no record of the type: DNS said so
  unavailable,  // no answer to rely on: time-out, SERVFAIL, REFUSED, no server reachable
};

/// `error` is empty when found; else `where` is the name and `what` says what DNS said.
struct AddressAnswer {
  Outcome outcome = Outcome::unavailable;
  std::vector<boost::asio::ip::address> addresses;  // A and AAAA, each once, as DNS ordered them
  std::chrono::seconds ttl{0};                      // the smallest of the records, within kMinTtl..kMaxTtl
  Error error;
};

struct Service {
  std::string host;  // without a final dot
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  friend bool operator==(const Service&, const Service&) = default;
};

struct ServiceAnswer {
  Outcome outcome = Outcome::unavailable;
  std::vector<Service> services;
  std::chrono::seconds ttl{0};
  Error error;
};

/// A TTL of 0 (headless Services have 5 to 30 s) would make us ask without pause; a long one would keep us
/// from ever noticing that a name moved. IP literals and /etc/hosts have no TTL and get kMaxTtl and kMinTtl.
inline constexpr std::chrono::seconds kMinTtl{1};
inline constexpr std::chrono::seconds kMaxTtl{300};

struct Options {
  /// One try at one server; c-ares waits twice as long at the next round.
  std::chrono::milliseconds try_timeout{1000};
  int tries = 2;
  /// However many servers and search domains there are: after this long the answer is `unavailable`.
  std::chrono::milliseconds deadline{5000};
  /// "127.0.0.1:5353" or "[::1]:5353"; empty: as resolv.conf says. For tests and special installations.
  std::vector<std::string> servers;
  /// Re-read when it changes. c-ares itself reads only /etc/resolv.conf; another path is for tests, and its
  /// `nameserver` lines alone are used.
  std::string resolv_conf = "/etc/resolv.conf";
};

class Resolver {
 public:
  explicit Resolver(boost::asio::io_context& io, Options options = {});
  /// Callbacks that were not called yet are dropped.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// `done` is called exactly once, never before this returns, within Options::deadline. May destroy the
  /// Resolver or start new queries from within it.
  void resolve_addresses(const std::string& name, std::function<void(AddressAnswer)> done);
  /// `name` is the whole SRV name, "_redis-port._tcp.redis-svc.default.svc.cluster.local"; the search list is
  /// not used. The rest as above.
  void resolve_services(const std::string& name, std::function<void(ServiceAnswer)> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ambassador::dns
