// The decisions of leader election as pure functions over the Lease document: may I take it, what do I write?
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "operator/kube/object.hpp"

namespace ambassador::kube {

enum class LeaseVerdict { renew, take, wait };

/// `lease`: as last read. `unchanged_for`: how long its record has looked the same, by our own monotonic
/// clock. Ours -> renew; nobody's, or unchanged for longer than the duration it names -> take; else wait.
LeaseVerdict judge_lease(const Json& lease, std::string_view identity,
                         std::chrono::milliseconds unchanged_for);

/// The part of the lease whose change proves its holder alive: holder and renewTime.
std::string lease_fingerprint(const Json& lease);

/// The lease to write: `current` (null for a new one) with our holder, times and, on a take, one more
/// transition. `now`: RFC 3339 with microseconds. The resourceVersion of `current` stays as the optimistic
/// lock.
Json claim_lease(const Json& current, std::string_view name_space, std::string_view name,
                 std::string_view identity, std::chrono::milliseconds duration, std::string_view now);

/// The lease given back: no holder, duration 1 s, so that others need not wait.
Json release_lease(const Json& current, std::string_view now);

}  // namespace ambassador::kube
