// Why a client of transaction pooling keeps its server between transactions: it left something there that the
// proxy can't give it on another one. Kept by the session, counted for the metrics. Pure.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace ambassador::proxy::postgresql {

enum class Pin : std::uint8_t {
  listen,           // LISTEN
  prepare,          // SQL PREPARE (not the protocol's Parse)
  temporary,        // a temporary table, view or sequence
  hold,             // a cursor WITH HOLD
  advisory_lock,    // of the session, not of the transaction
  set,              // SET of what is not tracked
  set_config,       // the function, which may set anything
  load,             // LOAD of a library
  replication,      // streaming in both directions
  large_statement,  // a Parse that is too long to be kept (kMaxHeld)
  sequence,         // currval or lastval, which tell what the session's last nextval gave
};
inline constexpr std::size_t kPins = 11;
inline constexpr std::array<std::string_view, kPins> kPinNames{
    "listen", "prepare",     "temporary",       "hold",    "advisory_lock", "set", "set_config",
    "load",   "replication", "large_statement", "sequence"};

using PinSet = std::uint16_t;
[[nodiscard]] constexpr PinSet bit(Pin pin) {
  return static_cast<PinSet>(1U << static_cast<unsigned>(pin));
}

/// How often clients were pinned, by reason, and how many of their transactions left them so. Written by the
/// sessions of one core or of several, read by any thread.
struct PinCounters {
  /// Of one core, on a line of the cache of its own: counted at the end of every transaction.
  struct alignas(64) Transactions {
    std::atomic<std::uint64_t> pinned{0};
    std::atomic<std::uint64_t> unpinned{0};
  };
  static constexpr std::size_t kCores = 16;  // more of them share

  std::array<Transactions, kCores> transactions{};
  std::array<std::atomic<std::uint64_t>, kPins> pinned{};
  std::atomic<std::size_t> cores{0};
};

}  // namespace ambassador::proxy::postgresql
