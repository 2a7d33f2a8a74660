#include "operator/controller/question_times.hpp"

#include <algorithm>

namespace ambassador::controller {

std::chrono::milliseconds next_question(dns::Outcome outcome, std::chrono::seconds ttl,
                                        std::chrono::steady_clock::duration since_wanted) {
  switch (outcome) {
    case dns::Outcome::found:
      if (since_wanted < kFresh) return kFreshAgain;
      return std::clamp<std::chrono::milliseconds>(ttl, kSoonestAgain, kLatestAgain);
    case dns::Outcome::not_found:
      return since_wanted < kMissingIsNormal ? kMissingSoon : kMissingLater;
    case dns::Outcome::unavailable:
      return kUnavailableAgain;
  }
  return kUnavailableAgain;
}

}  // namespace ambassador::controller
