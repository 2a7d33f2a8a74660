#include "proxy/redis/keepable.hpp"

#include <array>
#include <bitset>
#include <cassert>
#include <functional>
#include <string_view>

#include "proxy/redis/command_table.hpp"

namespace ambassador::proxy::redis {
namespace {

// By hand: the metadata do not tell it. Other reads are not here because they tell what changes with time
// (TTL, OBJECT, XPENDING, XINFO) or what is drawn by lot (HRANDFIELD, SRANDMEMBER), go on from a cursor
// (HSCAN), change something after all (PFCOUNT), or look at several keys (MGET, SORT_RO, LCS, SINTER).
constexpr std::array<std::string_view, 42> kKeepable{"get",        "getrange",
                                                     "strlen",     "substr",
                                                     "getbit",     "bitcount",
                                                     "bitpos",     "bitfield_ro",
                                                     "hget",       "hmget",
                                                     "hgetall",    "hexists",
                                                     "hkeys",      "hlen",
                                                     "hstrlen",    "hvals",
                                                     "lindex",     "llen",
                                                     "lpos",       "lrange",
                                                     "scard",      "sismember",
                                                     "smismember", "smembers",
                                                     "zcard",      "zcount",
                                                     "zlexcount",  "zmscore",
                                                     "zrange",     "zrangebylex",
                                                     "zrank",      "zrangebyscore",
                                                     "zrevrange",  "zrevrangebylex",
                                                     "zrevrank",   "zscore",
                                                     "geodist",    "zrevrangebyscore",
                                                     "geohash",    "geopos",
                                                     "xlen",       "type"};

constexpr std::size_t kMostCommands = 512;

std::bitset<kMostCommands> keepable() {
  std::bitset<kMostCommands> out;
  for (const std::string_view name : kKeepable) {
    const Command* command = find_command(name);
    assert(command != nullptr && command->route == Route::one_key && command->first == 1 && command->reads);
    out.set(static_cast<std::size_t>(command - kCommands.data()));
  }
  return out;
}

}  // namespace

bool is_keepable(const Command& command) {
  static const std::bitset<kMostCommands> known = keepable();
  // Subcommands lie in another table.
  const std::less<const Command*> before;
  if (before(&command, kCommands.data()) || !before(&command, kCommands.data() + kCommands.size()))
    return false;
  return known.test(static_cast<std::size_t>(&command - kCommands.data()));
}

}  // namespace ambassador::proxy::redis
