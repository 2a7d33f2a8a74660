// The status of a policy: conditions as kstatus reads them, summary, listeners, Pods. Pure: computed from
// what was found and from the status before, so that times change only when something did. Called by the
// leader.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/parse.hpp"
#include "operator/discovery/environment.hpp"
#include "operator/discovery/resolved.hpp"

namespace ambassador::status {

/// The Pods of a policy. selected: those that should carry it; injected: those that do; up_to_date: of these,
/// whose configuration and shape are current; stale: of these, those that need a restart; ready: of these,
/// Ready.
struct PodCounts {
  unsigned selected = 0;
  unsigned injected = 0;
  unsigned up_to_date = 0;
  unsigned stale = 0;
  unsigned ready = 0;
};

struct StatusInput {
  const api::ParsedPolicy& parsed;
  std::vector<discovery::ResolvedListener> listeners;  // all keys; empty while nothing was resolved yet
  bool resolved = false;  // discovery has run for this generation (false: Ready is Unknown)
  /// The upstreams that Pods of the policy's namespace can be detected to use; only these decide about
  /// ResolvedRefs and Ready (the same policy in every namespace names the stores of them all). nullopt: all.
  std::optional<discovery::UsedUpstreams> used;
  PodCounts pods;
  std::optional<unsigned> connections_per_pod;  // only where the policy has a connectionBudget
  /// Differences between policies that share Pods ("proxy.logLevel of shop-data is ignored on 3 Pods: ...");
  /// become the condition Conflicted while not empty.
  std::vector<std::string> conflicts;
  const nlohmann::json& previous;  // .status as it is stored, or null
  std::string now;                 // RFC 3339, UTC, seconds
};

/// The whole .status. Equal to `previous` (byte for byte when dumped) when nothing changed: then write
/// nothing.
nlohmann::json compute_status(const StatusInput& input);

}  // namespace ambassador::status
