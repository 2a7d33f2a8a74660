// When to ask DNS about a name again. Pure.
#pragma once

#include <chrono>

#include "common/dns/resolver.hpp"

namespace ambassador::controller {

// Headless Services have a TTL of 5 to 30 s; the EndpointSlices tell of changes sooner, and proxies ask by
// themselves.
inline constexpr std::chrono::milliseconds kSoonestAgain{5000};
inline constexpr std::chrono::milliseconds kLatestAgain{60000};
/// Endpoints have just changed, and DNS may know of it a moment later than we do.
inline constexpr std::chrono::milliseconds kFreshAgain{1000};
inline constexpr std::chrono::seconds kFresh{5};
/// NXDOMAIN right after creation is normal and over in a moment ...
inline constexpr std::chrono::milliseconds kMissingSoon{500};
/// ... for this long; then somebody has to act, and the name is asked for now and then.
inline constexpr std::chrono::seconds kMissingIsNormal{30};
inline constexpr std::chrono::milliseconds kMissingLater{5000};
/// A DNS server in trouble is not helped by more questions.
inline constexpr std::chrono::milliseconds kUnavailableAgain{3000};

/// @param since_wanted how long the name has been wanted, or since its endpoints last changed
std::chrono::milliseconds next_question(dns::Outcome outcome, std::chrono::seconds ttl,
                                        std::chrono::steady_clock::duration since_wanted);

}  // namespace ambassador::controller
