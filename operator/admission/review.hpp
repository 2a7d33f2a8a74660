// AdmissionReview v1: bytes to a request, a verdict to bytes. Pure; hostile input gives an Error, never a
// crash. https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/result/result.hpp"

namespace ambassador::admission {

/// What the API server asks. The request stays as it came: what we do not know must not get lost.
struct Review {  // NOLINT(bugprone-exception-escape): what nlohmann::json is moved by could throw
  std::string uid;
  std::string ns;         // request.namespace: the Pod's own is not filled in everywhere
  std::string name;       // "" for generateName
  std::string operation;  // "CREATE", "UPDATE" ...
  std::string group;      // of request.kind
  std::string version;
  std::string kind;
  std::string subresource;
  bool dry_run = false;
  nlohmann::json request;

  [[nodiscard]] const nlohmann::json& object() const;  // null where there is none
};

/// The API server's own uids have 36 characters.
inline constexpr std::size_t kMaxUid = 128;

/// The Error says which field is wrong; for a 400.
Result<Review> read_review(std::string_view body);

/// The answer to a review.
struct Verdict {
  bool allowed = true;
  nlohmann::json patch = nlohmann::json::array();  // empty: none is sent
  int code = 403;                                  // of a denial, and its reason and message
  std::string reason = "Forbidden";
  std::string message;
  std::vector<std::string> warnings;
};

// The API server cuts every warning to 256 characters once all together have more than 4096 (its
// warning.go), so those that would go beyond are left out instead.
inline constexpr std::size_t kMaxWarning = 256;
inline constexpr std::size_t kMaxWarnings = 4096;

/// The AdmissionReview to send: same uid; patch and patchType both or neither.
std::string answer_text(const std::string& uid, const Verdict& verdict);

}  // namespace ambassador::admission
