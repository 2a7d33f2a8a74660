// Replies that a worker keeps, to answer with them who asks the same again: possible where a server tells, by
// the connection that it replied by, when what it said is so no more (Redis: CLIENT TRACKING). What is kept
// is the protocol's business; proxy/net shows it what comes by each such connection, in the order in which it
// came. Pure.
//
// Threads: a Keeper and its core are used by one worker's thread alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ambassador::proxy {

/// What came by one connection of a shared lane whose server tells (Greeted::tells). It is destroyed as soon
/// as the connection has ended, and what it kept goes with it: nobody would tell any more.
class Keeper {
 public:
  /// Longer news is not collected.
  static constexpr std::size_t kMaxNews = std::size_t{64} * 1024;

  virtual ~Keeper() = default;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// The most bytes of a reply that may be kept; longer ones are not collected.
  [[nodiscard]] virtual std::size_t longest_reply() const = 0;
  /// The connection is up, or the server has sent something.
  virtual void heard(std::chrono::steady_clock::time_point now) = 0;
  /// The whole reply to a request with Verdict::keeps, as both went over the connection.
  virtual void replied(std::string_view request, std::string_view reply) = 0;
  /// A whole message that nobody asked for (Framer::Frame::news); empty: one that was longer than kMaxNews.
  virtual void told(std::string_view news) = 0;

 protected:
  Keeper() = default;
};

/// Of one listener, over its workers and reloads.
struct KeptCounts {
  std::uint64_t hits = 0;           // requests that were answered with what was kept
  std::uint64_t misses = 0;         // requests whose reply might have been kept, and that went to a server
  std::uint64_t invalidations = 0;  // replies that were dropped since their server said so
  std::uint64_t evictions = 0;      // replies that were dropped to make room
  std::uint64_t bytes = 0;          // held now, all that belongs to them included
  std::uint64_t most_bytes = 0;     // that may be held
  std::uint64_t connections = 0;    // to servers that tell, now
};

}  // namespace ambassador::proxy
