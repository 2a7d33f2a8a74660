// How large things may be in the Redis protocol: the server's own limits, so that nothing passes here that a
// server refuses, and the proxy's, so that its memory is bounded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ambassador::proxy::redis {

inline constexpr std::size_t kLineEnd = 2;  // CRLF

// Redis' own (server.h, networking.c; redis.conf's proto-max-bulk-len by default). --------------------------
inline constexpr std::size_t kMaxInline = std::size_t{64}
                                          << 10;  // PROTO_INLINE_MAX_SIZE: an inline command's line
inline constexpr std::int64_t kMaxBulk = std::int64_t{512} << 20;     // one argument
inline constexpr std::int64_t kMaxArguments = std::int64_t{1} << 20;  // of one command
// The same of clients that have to log in and have not (processMultibulkBuffer).
inline constexpr std::int64_t kMaxStrangerBulk = 16384;
inline constexpr std::int64_t kMaxStrangerArguments = 10;

// The proxy's. ---------------------------------------------------------------------------------------------
/// A message up to this size is collected and then passed on in one piece; larger ones are streamed.
inline constexpr std::size_t kCollect = std::size_t{64} << 10;
/// A command that must be seen whole (its keys lie on several shards, or behind large arguments) may have
/// this size. Larger ones are refused: they would be held in memory, twice.
inline constexpr std::size_t kMaxWhole = std::size_t{8} << 20;
/// The commands of one transaction: a client holds them until EXEC.
inline constexpr std::size_t kMaxTransaction = kMaxWhole;
/// Channels and patterns of one client, and the bytes of one's name: they are kept here and at a server.
inline constexpr std::size_t kMaxSubscriptions = 16384;
inline constexpr std::size_t kMaxChannelName = std::size_t{4} << 10;
/// The longest line in a reply (status, error, number).
inline constexpr std::size_t kMaxLine = std::size_t{64} << 10;
/// A reply's length or count beyond this is nonsense (512 MiB is Redis' default, but it can be raised).
inline constexpr std::int64_t kMaxReplyBulk = std::int64_t{1} << 40;
inline constexpr std::int64_t kMaxReplyElements = std::int64_t{1} << 32;
/// Of a client's name or library (CLIENT SETNAME, SETINFO).
inline constexpr std::size_t kMaxClientName = 256;
/// Of a backend's name in an error reply.
inline constexpr std::size_t kMaxNameInError = 128;

}  // namespace ambassador::proxy::redis
