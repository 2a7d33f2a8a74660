// The annotation ambassador.dev/status of an injected Pod: what it was made from. Pure.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"

namespace ambassador::inject {

/// One policy as the annotation ambassador.dev/status records it.
struct RecordedPolicy {
  api::PolicyKey key;
  std::string hash;         // content of the spec that the configuration follows
  std::string environment;  // pinned at CREATE
};

/// The subject in PodRecord::shape of the keys of Secrets that are mounted, as text_of() of mounts.hpp says
/// them.
inline constexpr const char* kSecretsSubject = "secrets";

/// The annotation ambassador.dev/status.
struct PodRecord {
  std::vector<RecordedPolicy> policies;  // in order of precedence
  std::string image;
  int config_version = 0;
  /// What only a new Pod can take, by subject ("mode", "resources", "variables", "sockets", and "secrets"
  /// where there are any): the value or its hash.
  std::map<std::string, std::string> shape;
};

/// The annotation's bytes.
std::string record_text(const PodRecord& record);

/// nullopt where the Pod is not injected, or the annotation is not ours.
std::optional<PodRecord> read_record(const nlohmann::json& pod);

}  // namespace ambassador::inject
