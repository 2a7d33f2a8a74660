// Servers that are found while the proxy runs: a listener's backends are then seeds, who know where the
// servers are (config::Listener::finds_servers). What a protocol asks one seed, and what that says;
// proxy/discovery asks all of them and makes one list of it (balance::Agreement). Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
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
  /// Where the servers have the data shared out among them (Redis Cluster; then none of them leads): who has
  /// what, by positions in `servers`. Sorted, apart from each other; they may leave slots out.
  std::vector<config::SlotRange> slots{};
  bool connected = false;  // likewise: the seed reaches most of those who have slots
  friend bool operator==(const Members&, const Members&) = default;
};

/// What one seed said when it was asked last.
struct SeedAnswer {
  bool answers = false;            // it did say something
  std::optional<Members> members;  // nothing: it knows of no such servers
};

/// What all seeds of a listener say, taken together. Pure; one per listener.
class Consensus {
 public:
  virtual ~Consensus() = default;
  Consensus(const Consensus&) = delete;
  Consensus& operator=(const Consensus&) = delete;

  /// Weighs what all seeds say now. True: the servers, or what they have, are others than before.
  virtual bool weigh(std::span<const SeedAnswer> seeds) = 0;
  /// Nothing: none were found yet.
  [[nodiscard]] const std::optional<Members>& members() const { return members_; }

 protected:
  Consensus() = default;
  std::optional<Members> members_;
};

/// Tells what clients are told as long as no server was found, an error of the protocol without its line end;
/// by any thread. Empty: that is not known.
using NobodyFunction = std::function<std::string()>;

/// What each seed of one listener is asked. Any thread, as all of probing.
class SeedQuestion : public Probing {
 public:
  /// Of a reply that probe_reply() found healthy; nothing: the seed does not know of such servers. `asked` is
  /// the host by which the seed was reached.
  [[nodiscard]] virtual std::optional<Members> members(std::string_view reply,
                                                       std::string_view asked) const = 0;
  /// How what several seeds say becomes one list.
  [[nodiscard]] virtual std::unique_ptr<Consensus> new_consensus() const = 0;
  /// The servers are seeds themselves: they are asked as well, and may outlive those that were named.
  [[nodiscard]] virtual bool asks_servers() const { return false; }
  /// The error of clients who waited in vain for a server to be found. `answers`: some seed does, and knows
  /// of none; else `why` is what keeps one of them from answering, or empty.
  [[nodiscard]] virtual std::string nobody(bool answers, std::string_view why) const = 0;
};

}  // namespace ambassador::proxy
