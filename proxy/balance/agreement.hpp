// Which servers a listener has, by what all of its seeds say: those of the newest list that anybody has told
// of. Who knows only an old one, because it is cut off from the others, moves nobody. Used by
// proxy/discovery. Pure; one per listener.
#pragma once

#include <optional>
#include <span>

#include "proxy/session/seed.hpp"

namespace ambassador::proxy::balance {

/// What one seed said when it was asked last.
struct Heard {
  bool answers = false;            // it did say something
  std::optional<Members> members;  // nothing: it knows of no such servers
};

class Agreement {
 public:
  /// Weighs what all seeds say now. True: the servers are others than before.
  ///
  /// The highest epoch counts, and of several leaders in it the one that most seeds name, which may each see
  /// a part of its servers. A lower epoch than was seen before, or another leader in the same, counts only
  /// when every seed answers: then nobody is left who could know better (they were all set up anew). What was
  /// agreed on stays while nobody says more.
  bool weigh(std::span<const Heard> seeds);

  /// Servers sorted; nothing: none were found yet.
  [[nodiscard]] const std::optional<Members>& members() const { return members_; }

 private:
  std::optional<Members> members_;
};

}  // namespace ambassador::proxy::balance
