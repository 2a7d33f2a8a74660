// Servers that are found while the proxy runs: a listener's backends are then seeds, who know where the
// servers are (config::Listener::finds_servers). What a protocol asks one seed, and what that says;
// proxy/discovery asks all of them and makes one list of it (balance::Agreement). Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/probing.hpp"

namespace ambassador::proxy {

/// Where a server is: a DNS name or an IP literal, and a port.
struct Place {
  std::string host;
  std::uint16_t port = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

/// The servers that one seed tells of.
struct Members {
  /// Of two lists the one with the higher epoch is newer.
  std::uint64_t epoch = 0;
  /// Of one epoch, lists with the same leader are one list, which each seed may see in part.
  Place leader;
  std::vector<Place> servers;  // the leader among them
  friend bool operator==(const Members&, const Members&) = default;
};

/// Tells what clients are told as long as no server was found, an error of the protocol without its line end;
/// by any thread. Empty: that is not known.
using NobodyFunction = std::function<std::string()>;

/// What each seed of one listener is asked. Any thread, as all of probing.
class SeedQuestion : public Probing {
 public:
  /// Of a reply that probe_reply() found healthy; nothing: the seed does not know of such servers.
  [[nodiscard]] virtual std::optional<Members> members(std::string_view reply) const = 0;
  /// The error of clients who waited in vain for a server to be found. `answers`: some seed does, and knows
  /// of none; else `why` is what keeps one of them from answering, or empty.
  [[nodiscard]] virtual std::string nobody(bool answers, std::string_view why) const = 0;
};

}  // namespace ambassador::proxy
