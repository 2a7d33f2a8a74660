// The validating webhook's answer: an AdmissionReview request about a policy -> allowed, or why not.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace ambassador::api {

struct PolicyReview {
  bool allowed = true;
  std::string message;  // when refused: every problem, each with field, value and way out
  std::vector<std::string> warnings;
};

/// `request` is AdmissionReview.request (operation, object, oldObject). Refused are CREATE and UPDATE of a
/// spec that is invalid or holds what this version does not carry. An UPDATE that leaves the spec as it is
/// passes, and so does one of an object being deleted: a policy from before must never become immovable.
PolicyReview review_policy(const nlohmann::json& request);

}  // namespace ambassador::api
