// How the enums of the document are written. One table each, for reader, printer, schema and messages.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "common/config/document.hpp"

namespace ambassador::config {

template <class E, std::size_t N>
using Spelling = std::array<std::pair<std::string_view, E>, N>;

inline constexpr Spelling<Protocol, 3> kProtocols{
    {{"Redis", Protocol::redis}, {"PostgreSQL", Protocol::postgresql}, {"TCP", Protocol::tcp}}};
inline constexpr Spelling<RedisMode, 6> kRedisModes{{{"Sharded", RedisMode::sharded},
                                                     {"Failover", RedisMode::failover},
                                                     {"Spread", RedisMode::spread},
                                                     {"Replicated", RedisMode::replicated},
                                                     {"Sentinel", RedisMode::sentinel},
                                                     {"Cluster", RedisMode::cluster}}};
inline constexpr Spelling<ReadPreference, 4> kReadPreferences{
    {{"Primary", ReadPreference::primary},
     {"PreferReplica", ReadPreference::prefer_replica},
     {"Replica", ReadPreference::replica},
     {"Nearest", ReadPreference::nearest}}};
inline constexpr Spelling<Hash, 12> kHashes{{{"one_at_a_time", Hash::one_at_a_time},
                                             {"md5", Hash::md5},
                                             {"crc16", Hash::crc16},
                                             {"crc32", Hash::crc32},
                                             {"crc32a", Hash::crc32a},
                                             {"fnv1_64", Hash::fnv1_64},
                                             {"fnv1a_64", Hash::fnv1a_64},
                                             {"fnv1_32", Hash::fnv1_32},
                                             {"fnv1a_32", Hash::fnv1a_32},
                                             {"hsieh", Hash::hsieh},
                                             {"murmur", Hash::murmur},
                                             {"jenkins", Hash::jenkins}}};
inline constexpr Spelling<MirrorCommands, 2> kMirrorCommands{
    {{"Writes", MirrorCommands::writes}, {"All", MirrorCommands::all}}};
inline constexpr Spelling<Distribution, 3> kDistributions{
    {{"ketama", Distribution::ketama}, {"modula", Distribution::modula}, {"random", Distribution::random}}};
inline constexpr Spelling<LogLevel, 4> kLogLevels{{{"Debug", LogLevel::debug},
                                                   {"Info", LogLevel::info},
                                                   {"Warning", LogLevel::warning},
                                                   {"Error", LogLevel::error}}};
inline constexpr Spelling<Readiness, 2> kReadiness{
    {{"Listeners", Readiness::listeners}, {"Backends", Readiness::backends}}};

inline constexpr Spelling<TlsMode, 4> kTlsModes{{{"Disabled", TlsMode::disabled},
                                                 {"Require", TlsMode::require},
                                                 {"VerifyCA", TlsMode::verify_ca},
                                                 {"VerifyFull", TlsMode::verify_full}}};
inline constexpr Spelling<Authentication, 2> kAuthentications{
    {{"Proxy", Authentication::proxy}, {"Passthrough", Authentication::passthrough}}};
inline constexpr Spelling<Pooling, 2> kPoolings{
    {{"Session", Pooling::session}, {"Transaction", Pooling::transaction}}};
inline constexpr Spelling<Servers, 2> kServers{
    {{"Primary", Servers::primary}, {"Replicas", Servers::replicas}}};
inline constexpr Spelling<ReadWriteSplit, 3> kReadWriteSplits{
    {{"Disabled", ReadWriteSplit::disabled},
     {"ReadOnlyTransactions", ReadWriteSplit::read_only_transactions},
     {"Statements", ReadWriteSplit::statements}}};

template <class E, std::size_t N>
constexpr std::string_view spell(const Spelling<E, N>& spelling, E value) {
  for (const auto& [word, meaning] : spelling) {
    if (meaning == value) return word;
  }
  return "";
}

/// False when `word` is none of the words (case counts); `out` then stays.
template <class E, std::size_t N>
constexpr bool unspell(const Spelling<E, N>& spelling, std::string_view word, E& out) {
  for (const auto& [known, meaning] : spelling) {
    if (known == word) return out = meaning, true;
  }
  return false;
}

}  // namespace ambassador::config
