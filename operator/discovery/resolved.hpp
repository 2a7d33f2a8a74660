// What is known about a listener's backends: the content of status.listeners, from which every replica and
// the leader render configurations. Pure values, and their JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ambassador::discovery {

struct ResolvedBackend {
  std::string name;  // short: "redis-st-0", the Service's name, or the host's; key of `weights`
  std::string host;  // what the proxy resolves: "redis-st-0.redis-svc.shop.svc.cluster.local"
  std::uint16_t port = 0;
  std::string ring_name;  // name on the ring: "host:port" unless hosts[].name says otherwise
  unsigned weight = 1;
  std::string address;  // "10.1.2.3:6379" as DNS last said; empty = not known yet
  bool ready = false;   // what runs there is Ready (Pods); true for hosts and cluster addresses
  std::string source;   // "StatefulSet shop/redis-st", "Service shop/pg-dev", "hosts"
  friend bool operator==(const ResolvedBackend&, const ResolvedBackend&) = default;
};

// Reasons of a listener that is not resolved, and so of the condition ResolvedRefs.
inline constexpr std::string_view kRefNotFound = "RefNotFound";
inline constexpr std::string_view kRefNotPermitted = "RefNotPermitted";
inline constexpr std::string_view kServiceNotHeadless = "ServiceNotHeadless";
inline constexpr std::string_view kPortNotFound = "PortNotFound";
inline constexpr std::string_view kNoAddress = "NoAddress";  // never flips ResolvedRefs, only Ready

struct ResolvedListener {
  std::string name;         // the listener's
  std::string environment;  // key of the upstream: see UpstreamChoice
  std::vector<ResolvedBackend> backends;
  std::string resolved_at;  // RFC 3339, when an address last changed; empty = none so far
  std::string reason;       // empty = resolved; else one of the above
  std::string message;      // what to do about it
  friend bool operator==(const ResolvedListener&, const ResolvedListener&) = default;
};

/// Reads status.listeners of a policy document; what is malformed is left out (status is ours alone, but a
/// newer operator may have written it).
std::vector<ResolvedListener> read_resolved(const nlohmann::json& policy_document);
nlohmann::json to_json(const ResolvedListener& listener);

/// Finds the entry with this key; nullptr: not resolved yet. Borrowed.
const ResolvedListener* find(const std::vector<ResolvedListener>& listeners, std::string_view name,
                             std::string_view environment);

}  // namespace ambassador::discovery
