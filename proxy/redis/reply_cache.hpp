// Replies of servers that one worker keeps, to answer reads from (redis.clientCache). A reply is known by its
// whole request, as it was sent; so clients who spell a command differently do not share it. Each connection
// that its server tracks (CLIENT TRACKING) has a shelf of its own: what came by it is right until the same
// connection says otherwise, and is gone when that ends. Whether a client may be answered from here decides
// the session (route_kept.cpp). One per core. Pure; one thread, but for the counters.
//
// What makes it exact: a server writes its replies and its invalidations into one stream, each at the moment
// when it read or changed the key, and both are taken from that stream in their order. So what is on a shelf
// is what a client of that connection would have to believe, too.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/redis/kept_counters.hpp"
#include "proxy/session/keeping.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

class ReplyCache : public std::enable_shared_from_this<ReplyCache> {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// A server that has said nothing for so long is asked, whatever is kept: its connection may have ended
  /// without a word, and nobody would tell of changes.
  static constexpr std::chrono::milliseconds kSilent{1'000};
  /// Nothing is given that was read longer ago. A key whose time is over is told of when the server removes
  /// it, which may be later; this bounds how much.
  static constexpr std::chrono::milliseconds kOldest{10'000};
  /// Different requests about one key, whose replies are kept: they are searched one after the other.
  static constexpr std::size_t kMostOfKey = 64;
  /// The largest reply takes at most this share of the whole...
  static constexpr std::size_t kLeastReplies = 16;
  /// ...and no more bytes than these.
  static constexpr std::size_t kLongest = std::size_t{1024} * 1024;
  /// What a reply takes in memory beside its own bytes and its request's: the nodes of a list and of a hash
  /// table, its slot there, what malloc adds to three pieces.
  static constexpr std::size_t kOverhead = 240;

  /// `most_bytes`: of all that is kept, overhead included. `backends`: so many there are.
  ReplyCache(std::size_t most_bytes, std::size_t backends, std::shared_ptr<KeptCounters> counters);
  ~ReplyCache();
  ReplyCache(const ReplyCache&) = delete;
  ReplyCache& operator=(const ReplyCache&) = delete;

  /// For a new connection to `backend`; there is one at a time.
  [[nodiscard]] std::unique_ptr<Keeper> new_shelf(BackendIndex backend);
  /// The reply to `request`, a multibulk about `key`, if it is kept and may be given at `now`. Valid until a
  /// Keeper is told something.
  [[nodiscard]] std::optional<std::string_view> find(BackendIndex backend, std::string_view key,
                                                     std::string_view request, Time now);
  /// A read whose reply may be kept goes to a server.
  void missed() { count(counts_.misses); }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  class Shelf;
  struct Kept;
  using ByUse = std::list<Kept>;
  using ByKey = std::unordered_multimap<std::string_view, ByUse::iterator>;  // keys lie in what is kept
  struct Kept {
    std::string bytes;  // the request, and the reply behind it
    std::size_t request = 0;
    Time read_at;
    Shelf* shelf = nullptr;
    ByKey::iterator place{};
    [[nodiscard]] std::string_view asked() const { return std::string_view(bytes).substr(0, request); }
    [[nodiscard]] std::string_view reply() const { return std::string_view(bytes).substr(request); }
    [[nodiscard]] std::size_t size() const { return bytes.capacity() + kOverhead; }
  };

  static void count(std::atomic<std::uint64_t>& counter, std::uint64_t n = 1) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }
  void drop(ByUse::iterator kept);
  void make_room();

  const std::size_t most_;
  const std::shared_ptr<KeptCounters> counters_;
  KeptCounters::OfCache& counts_;
  std::vector<Shelf*> shelves_;  // by backend; null: no connection
  ByUse by_use_;                 // the one that was used last in front
  std::size_t bytes_ = 0;
};

}  // namespace ambassador::proxy::redis
