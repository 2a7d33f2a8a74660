// How enum values are spelled in policies and annotations, and the forms of names. One table each, so that
// parsing, printing and messages agree.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/config/document.hpp"
#include "operator/api/policy.hpp"

namespace ambassador::api {

template <class E, std::size_t N>
using Spelling = std::array<std::pair<std::string_view, E>, N>;

/// Whether clients have to log in.
inline constexpr Spelling<bool, 2> kClientAuthModes = {{{"None", false}, {"Password", true}}};
inline constexpr Spelling<bool, 2> kSwitch = {{{"Enabled", true}, {"Disabled", false}}};
inline constexpr Spelling<config::LogLevel, 4> kLogLevels = {{{"Debug", config::LogLevel::debug},
                                                              {"Info", config::LogLevel::info},
                                                              {"Warning", config::LogLevel::warning},
                                                              {"Error", config::LogLevel::error}}};
inline constexpr Spelling<config::Readiness, 2> kReadinesses = {
    {{"Listeners", config::Readiness::listeners}, {"Backends", config::Readiness::backends}}};
inline constexpr Spelling<ContainerMode, 3> kContainerModes = {
    {{"Auto", ContainerMode::automatic},
     {"NativeSidecar", ContainerMode::native_sidecar},
     {"Container", ContainerMode::container}}};
inline constexpr Spelling<config::Protocol, 3> kProtocols = {{{"Redis", config::Protocol::redis},
                                                              {"PostgreSQL", config::Protocol::postgresql},
                                                              {"TCP", config::Protocol::tcp}}};
inline constexpr Spelling<config::TlsMode, 4> kTlsModes = {{{"Disabled", config::TlsMode::disabled},
                                                            {"Require", config::TlsMode::require},
                                                            {"VerifyCA", config::TlsMode::verify_ca},
                                                            {"VerifyFull", config::TlsMode::verify_full}}};
inline constexpr Spelling<config::Authentication, 2> kAuthentications = {
    {{"Proxy", config::Authentication::proxy}, {"Passthrough", config::Authentication::passthrough}}};
inline constexpr Spelling<config::Pooling, 2> kPoolings = {
    {{"Session", config::Pooling::session}, {"Transaction", config::Pooling::transaction}}};
inline constexpr Spelling<config::ReadWriteSplit, 3> kReadWriteSplits = {
    {{"Disabled", config::ReadWriteSplit::disabled},
     {"ReadOnlyTransactions", config::ReadWriteSplit::read_only_transactions},
     {"Statements", config::ReadWriteSplit::statements}}};
inline constexpr Spelling<config::RedisMode, 6> kRedisModes = {{{"Sharded", config::RedisMode::sharded},
                                                                {"Failover", config::RedisMode::failover},
                                                                {"Spread", config::RedisMode::spread},
                                                                {"Replicated", config::RedisMode::replicated},
                                                                {"Sentinel", config::RedisMode::sentinel},
                                                                {"Cluster", config::RedisMode::cluster}}};
inline constexpr Spelling<config::ReadPreference, 4> kReadPreferences = {
    {{"Primary", config::ReadPreference::primary},
     {"PreferReplica", config::ReadPreference::prefer_replica},
     {"Replica", config::ReadPreference::replica},
     {"Nearest", config::ReadPreference::nearest}}};
inline constexpr Spelling<config::Hash, 12> kHashes = {{{"one_at_a_time", config::Hash::one_at_a_time},
                                                        {"md5", config::Hash::md5},
                                                        {"crc16", config::Hash::crc16},
                                                        {"crc32", config::Hash::crc32},
                                                        {"crc32a", config::Hash::crc32a},
                                                        {"fnv1_64", config::Hash::fnv1_64},
                                                        {"fnv1a_64", config::Hash::fnv1a_64},
                                                        {"fnv1_32", config::Hash::fnv1_32},
                                                        {"fnv1a_32", config::Hash::fnv1a_32},
                                                        {"hsieh", config::Hash::hsieh},
                                                        {"murmur", config::Hash::murmur},
                                                        {"jenkins", config::Hash::jenkins}}};
inline constexpr Spelling<config::Distribution, 3> kDistributions = {
    {{"ketama", config::Distribution::ketama},
     {"modula", config::Distribution::modula},
     {"random", config::Distribution::random}}};
inline constexpr Spelling<config::MirrorCommands, 2> kMirrorCommands = {
    {{"Writes", config::MirrorCommands::writes}, {"All", config::MirrorCommands::all}}};
inline constexpr Spelling<Repair, 2> kRepairs = {
    {{"Disabled", Repair::disabled}, {"Report", Repair::report}}};
inline constexpr Spelling<LabelOperator, 4> kLabelOperators = {
    {{"In", LabelOperator::in},
     {"NotIn", LabelOperator::not_in},
     {"Exists", LabelOperator::exists},
     {"DoesNotExist", LabelOperator::does_not_exist}}};

template <class E, std::size_t N>
[[nodiscard]] std::optional<E> read(const Spelling<E, N>& spelling, std::string_view word) {
  for (const auto& [name, value] : spelling) {
    if (name == word) return value;
  }
  return std::nullopt;
}

/// Never fails: every value has a spelling.
template <class E, std::size_t N>
[[nodiscard]] std::string_view print(const Spelling<E, N>& spelling, E value) {
  for (const auto& [name, candidate] : spelling) {
    if (candidate == value) return name;
  }
  return "";
}

/// "Auto, NativeSidecar, Container", for messages.
template <class E, std::size_t N>
[[nodiscard]] std::string words(const Spelling<E, N>& spelling) {
  std::string all;
  for (const auto& [name, value] : spelling) all.append(all.empty() ? "" : ", ").append(name);
  return all;
}

/// a-z, 0-9 and '-', not first or last; 1 to 63 (RFC 1123).
[[nodiscard]] bool is_dns_label(std::string_view text);
/// Labels joined by dots, 1 to 253.
[[nodiscard]] bool is_dns_name(std::string_view text);
/// A Service's port name: as a label, 1 to 15, with a letter (RFC 6335).
[[nodiscard]] bool is_port_name(std::string_view text);
/// A key of a Secret: letters, digits, '-', '_' and '.', 1 to 253, not "." or "..*" (apimachinery,
/// IsConfigMapKey).
[[nodiscard]] bool is_secret_key(std::string_view text);
/// A name for an environment variable that every shell takes: letters, digits, '_', not first a digit; to
/// 128.
[[nodiscard]] bool is_variable_name(std::string_view text);

}  // namespace ambassador::api
