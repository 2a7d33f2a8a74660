// What a running, injected Pod should carry now, and whether a restart would change more than that. Pure.
// Called by the leader's live-configuration reconciler and by status.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/inject/installation.hpp"
#include "operator/inject/known_policy.hpp"
#include "operator/inject/record.hpp"

namespace ambassador::inject {

struct LiveInput {
  const nlohmann::json& pod;
  std::string ns;
  api::Labels namespace_labels;
  std::vector<KnownPolicyPtr> policies;  // as for admission; more than needed does no harm
  const Installation& installation;
};

struct LiveState {
  /// Values that differ from the Pod's annotations now: patch exactly these. Empty = up to date. A policy
  /// that is gone or no longer valid keeps its part as it is.
  std::vector<std::pair<std::string, std::string>> wanted_annotations;
  /// A restart would give it another shape or environment; stale_because says which ("image", "variables",
  /// ...).
  bool stale = false;
  std::string stale_because;
  /// Where the policies on this Pod differ (Settings::differences): for the condition Conflicted.
  std::vector<std::string> differences;
  std::vector<api::PolicyKey> gone;  // policies recorded on the Pod that exist no more
};

/// nullopt where read_record is. Of the Pod it reads metadata.{namespace,annotations,labels},
/// spec.{restartPolicy, terminationGracePeriodSeconds},
/// spec.{containers,initContainers}[].{name,args,ports,resources,volumeMounts} and
/// status.containerStatuses[].{name,state}: a store that keeps these keeps enough.
std::optional<LiveState> live_state(const LiveInput& input);

/// The Pod is of the classic form and every container but ours has ended: its configuration wants shutdown.
bool applications_ended(const nlohmann::json& pod);

}  // namespace ambassador::inject
