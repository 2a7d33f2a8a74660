// What a server says of itself where some servers take writes and others follow them. Plain data.
#pragma once

#include <cstdint>

namespace ambassador::proxy {

/// Which servers a borrower can use, and what a server is.
enum class Role : std::uint8_t {
  any,
  primary,  // one that takes writes
  replica,  // one that follows; where there is none, the primary
};

/// What a server said of itself.
struct Standing {
  Role role = Role::any;  // any: not known
  /// Which of several histories it writes, by number (PostgreSQL: its timeline; Redis: where it left the
  /// history of another one, in bytes); 0: not known, or the first. Of two servers that both take writes, the
  /// one with the higher term does so by right.
  std::uint64_t term = 0;
  /// How far it is in its history (PostgreSQL: the LSN that it wrote or replayed): what a server has whose
  /// position is not less than the primary's was after a write. 0: not known.
  std::uint64_t position = 0;
};

}  // namespace ambassador::proxy
