// Membership is not readiness: which ordinals of a StatefulSet are on the ring. Pure.
#pragma once

#include <set>

namespace ambassador::discovery {

/// @param members the ordinals on the ring so far; empty = this is the first time
/// @param start spec.ordinals.start
/// @param replicas spec.replicas
/// @param ready the ordinals whose Pods are Ready now
/// @return first: all of start .. start+replicas-1. Later: those members still in that range (never mind
/// whether
///   they are up, or every key would move), and the others once they are Ready (or a share of the keys would
///   point at nothing while they start).
std::set<int> next_members(const std::set<int>& members, int start, int replicas, const std::set<int>& ready);

}  // namespace ambassador::discovery
