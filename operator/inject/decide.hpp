// One Pod at CREATE -> a JSON Patch, a refusal, or warnings. The heart of admission; pure and safe for any
// JSON. Called by operator/admission for /mutate--v1-pod, by ambassadorctl offline. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/inject/installation.hpp"
#include "operator/inject/known_policy.hpp"

namespace ambassador::inject {

struct AdmissionInput {
  const nlohmann::json& pod;  // AdmissionReview.request.object, raw
  std::string ns;             // AdmissionReview.request.namespace; never the Pod's own
  api::Labels namespace_labels;
  std::string operation = "CREATE";  // anything else is allowed untouched
  std::vector<KnownPolicyPtr>
      policies;  // every AmbassadorPolicy of the namespace, every ClusterAmbassadorPolicy
  const Installation& installation;
};

/// Why it was decided so: a label of metrics and the reason of Events.
enum class Outcome {
  injected,          // patch holds everything
  already_injected,  // a second pass; the patch is empty or repairs what another webhook changed
  not_requested,     // no annotation, no selector
  opted_out,         // ambassador.dev/inject: "false"
  ignored,           // not a CREATE, a mirror Pod
  skipped,           // merely selected, and cannot be injected: warnings say why
  denied             // asked by annotation, and cannot be injected: message says why
};
std::string_view text(Outcome outcome);  // "Injected", "AlreadyInjected", ...

struct Decision {
  Outcome outcome = Outcome::not_requested;
  /// RFC 6902 operations, empty = send no patch. May hold removals of forged annotations whatever the outcome
  /// (but denied).
  nlohmann::json patch = nlohmann::json::array();
  /// Why it is denied or skipped: field, value and way out.
  std::string message;
  /// Short cause of a denial or skip, a metric's label: "PolicyNotFound", "HostNetwork", "PortInUse", ...
  std::string cause;
  std::vector<std::string> warnings;     // for the user's terminal
  std::vector<api::PolicyKey> policies;  // those on the Pod
  /// The Pod asked, and the given policies lack what it needs: read them live once and decide again.
  bool policies_missing = false;

  [[nodiscard]] bool allowed() const { return outcome != Outcome::denied; }
};

Decision decide(const AdmissionInput& input);

/// Does the policy select this Pod by its podSelector (for a ClusterAmbassadorPolicy: in a namespace with
/// these labels)? False without a podSelector. For the repairs' counts and the `selected` webhook's answers.
bool selects(const api::Policy& policy, const std::string& ns, const api::Labels& namespace_labels,
             const api::Labels& pod_labels);

}  // namespace ambassador::inject
