// AmbassadorPolicy documents -> Policy, strictly: what the schema says and what it cannot say. Called by the
// validating webhook, the informers' stores and (offline) ambassadorctl. No I/O, no exceptions for bad input.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"

namespace ambassador::api {

/// What is wrong with a document. `path` is the field ("spec.listeners[0].port"), `what` names the value and
/// the way out.
struct Problem {
  enum class Kind { invalid, not_in_this_version };
  Kind kind = Kind::invalid;
  std::string path;
  std::string what;

  [[nodiscard]] std::string text() const { return path + ": " + what; }
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// A policy without problems, or its key and its problems.
struct ParsedPolicy {
  PolicyKey key;  // as far as the document names it
  std::string uid;
  std::int64_t generation = 0;
  /// As far as they can be read, problems elsewhere or not: whom a refused policy would concern.
  std::optional<LabelSelector> pod_selector;
  std::optional<LabelSelector> namespace_selector;
  std::optional<Policy> policy;   // exactly when problems is empty
  std::vector<Problem> problems;  // in the order of the document, at most kMaxProblems

  /// Condition reason: "Accepted", "NotInThisVersion" (every problem is of that kind) or "Invalid".
  [[nodiscard]] std::string reason() const;
  /// The problems, one sentence each, joined by "; "; at most 1,024 bytes.
  [[nodiscard]] std::string message() const;
};

/// More are of no use to a reader, and a document of 1.5 MB could hold thousands.
inline constexpr std::size_t kMaxProblems = 20;

/// Any JSON value; defaults are filled in as the CRD does, so documents from files work like stored ones.
ParsedPolicy parse_policy(const nlohmann::json& document);

}  // namespace ambassador::api
