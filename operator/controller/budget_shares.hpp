// When a policy's share of its connection budget changes: at once where Pods must do with less, and only
// after some quiet where they could have more, so that a rollout, which comes and goes, costs a patch or two.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace ambassador::controller {

/// How long a larger share must have been possible before Pods get it.
inline constexpr std::chrono::milliseconds kQuietBeforeGrowth{5000};

class BudgetShares {
 public:
  using Clock = std::chrono::steady_clock;
  struct Decision {
    unsigned share = 0;  // server connections per Pod and listener
    /// When to ask again, though nothing else may happen; absent: no need to.
    std::optional<std::chrono::milliseconds> look_again;
  };

  /// @param policy  its key
  /// @param budget  spec.connectionBudget
  /// @param pods    that may hold connections: those that are about to end among them
  /// @param now_given  what status says; absent: nothing yet
  Decision decide(const std::string& policy, unsigned budget, std::size_t pods,
                  std::optional<unsigned> now_given, Clock::time_point now);
  /// The policy is gone, or has no budget.
  void forget(const std::string& policy);
  void forget_all();

 private:
  struct Growth {
    unsigned share = 0;
    Clock::time_point since;
  };
  std::mutex mutex_;
  std::map<std::string, Growth> growing_;
};

}  // namespace ambassador::controller
