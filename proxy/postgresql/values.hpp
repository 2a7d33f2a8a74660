// Run-time parameters that the proxy keeps per client: what servers report (ParameterStatus) and clients can
// set. A client sees its own values whatever server it gets, by a query that sets what differs. Used by
// session and server. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ambassador::proxy::postgresql {

/// Those that every server reports, then those that newer ones do.
inline constexpr std::array<std::string_view, 9> kTracked{"client_encoding",
                                                          "DateStyle",
                                                          "TimeZone",
                                                          "IntervalStyle",
                                                          "standard_conforming_strings",
                                                          "application_name",
                                                          "search_path",
                                                          "default_transaction_read_only",
                                                          "scram_iterations"};

/// So many of them are set per client from the startup on. The others may not be reported, and then could not
/// be kept: those that a StartupMessage has are part of the pool's key.
inline constexpr std::size_t kAlwaysReported = 6;

/// Index in kTracked; names are compared without regard to case, as PostgreSQL does.
[[nodiscard]] std::optional<std::size_t> find_tracked(std::string_view name);

/// A set of parameters of kTracked.
using TrackedSet = std::uint16_t;
[[nodiscard]] constexpr TrackedSet tracked(std::size_t i) {
  return static_cast<TrackedSet>(1U << i);
}

/// Values of the tracked parameters; which of them are known is told by `known`.
class Values {
 public:
  [[nodiscard]] TrackedSet known() const { return known_; }
  [[nodiscard]] bool knows(std::size_t i) const { return (known_ & tracked(i)) != 0; }
  /// Empty if it is not known.
  [[nodiscard]] std::string_view text(std::size_t i) const {
    return std::string_view(all_).substr(begins_[i], begins_[i + 1] - begins_[i]);
  }
  void set(std::size_t i, std::string_view value);
  /// Those known here whose values `other` knows to be different, or does not know.
  [[nodiscard]] TrackedSet different_from(const Values& other) const {
    // For every unit of work: mostly there is no difference, which one comparison shows.
    if (known_ == other.known_ && begins_ == other.begins_ && all_ == other.all_) return 0;
    return found_different_from(other);
  }

 private:
  [[nodiscard]] TrackedSet found_different_from(const Values& other) const;

  TrackedSet known_ = 0;
  std::array<std::uint32_t, kTracked.size() + 1> begins_{};  // of each in all_, and the end
  std::string all_;
};

/// SQL that sets `which` to `values`. Bytes outside of ASCII become '?', as PostgreSQL makes them in
/// application_name: quoting does not depend on an encoding then.
[[nodiscard]] std::string sql_to_set(TrackedSet which, const Values& values);

/// The same for those that have the value in `instead_of` there.
[[nodiscard]] std::string sql_to_restore(TrackedSet which, const Values& values, const Values& instead_of);

}  // namespace ambassador::proxy::postgresql
