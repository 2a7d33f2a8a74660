// Which servers a listener has, by what all of its seeds say: those of the newest list that anybody has told
// of. Who knows only an old one, because it is cut off from the others, moves nobody. Used by
// proxy/discovery. Pure; one per listener.
#pragma once

#include <span>

#include "proxy/session/seed.hpp"

namespace ambassador::proxy::balance {

class Agreement final : public Consensus {
 public:
  /// The highest epoch counts, and of several leaders in it the one that most seeds name, which may each see
  /// a part of its servers. A lower epoch than was seen before, or another leader in the same, counts only
  /// when every seed answers: then nobody is left who could know better (they were all set up anew). What was
  /// agreed on stays while nobody says more.
  /// The servers are sorted.
  bool weigh(std::span<const SeedAnswer> seeds) override;
};

}  // namespace ambassador::proxy::balance
