// How large things may be in the PostgreSQL protocol: the server's own limits, so that nothing passes here
// that a server refuses, and the proxy's, so that its memory is bounded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ambassador::proxy::postgresql {

// PostgreSQL's own. ----------------------------------------------------------------------------------------
/// Of the first packet, without its length (MAX_STARTUP_PACKET_LENGTH in libpq/pqcomm.h).
inline constexpr std::uint32_t kMaxFirstPacket = 10000;
/// Of the secret key that cancels: exactly the smaller in protocol 3.0, anything between from 3.2 on.
inline constexpr std::size_t kMinCancelKey = 4;
inline constexpr std::size_t kMaxCancelKey = 256;

// The proxy's. ---------------------------------------------------------------------------------------------
/// A server's message that must be seen whole (authentication, errors, parameters, keys), without its header.
/// libpq allows errors 30,000 bytes while it logs in.
inline constexpr std::uint32_t kMaxHeld = std::uint32_t{32} << 10;
/// A message of a client that is looked into as a whole, so that it can be said again to another server: a
/// Parse above all. Longer ones are passed on by length; that client stays where it is.
inline constexpr std::uint32_t kMaxKept = std::uint32_t{64} << 10;
/// What a client says while it authenticates; SCRAM needs a few hundred bytes.
inline constexpr std::uint32_t kMaxAuthentication = 8192;
/// Replies that one client is owed: more means that it does not read them.
inline constexpr std::size_t kMaxOwed = std::size_t{1} << 20;
/// Prepared statements of one client, and those that a core knows though nobody has them.
inline constexpr std::size_t kMaxStatementsOfClient = 10000;
inline constexpr std::size_t kMaxStatementsKnown = 2000;
/// A read whose server is lost is run so often at most. A server that stops takes one connection after the
/// other with it: the next that is lent may be one of those.
inline constexpr unsigned kMostRuns = 5;
/// An idle client keeps no more than that of what it asked a replica.
inline constexpr std::size_t kUnitKept = 256;
/// Kinds of servers, and spellings of parameters, that a core remembers.
inline constexpr std::size_t kMaxRemembered = 1000;
/// Names and values of all parameters that a server reports; PostgreSQL 18 reports 15 short ones.
inline constexpr std::size_t kMaxReported = std::size_t{64} << 10;
/// SCRAM's rounds of hashing, per login on the worker's thread: a million take a quarter of a second.
/// PostgreSQL's default, 4096, takes 1 to 3 ms.
inline constexpr std::uint32_t kMaxScramIterations = 1'000'000;
/// Prepared statements that the proxy keeps on one server connection; the least used is closed for a new one.
inline constexpr std::size_t kMaxStatements = 500;

}  // namespace ambassador::proxy::postgresql
