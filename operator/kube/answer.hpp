// What a call to the API server gives: a value, or an ApiError that says what kind of failure it was, so that
// the caller can tell "not there" from "somebody was faster" from "ask again". Plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/result/result.hpp"

namespace ambassador::kube {

/// A failed call. `code` is the HTTP status, 0 where no answer came (refused, reset, timed out, stopped).
struct ApiError {
  int code = 0;
  /// metav1.Status.reason: "NotFound", "AlreadyExists", "Conflict", "Expired" ...; "" if none.
  std::string reason = {};
  std::string message = {};  // what the server (or the connection) said, one line
  std::string call = {};     // "PATCH /api/v1/namespaces/shop/pods/x": whom it concerns
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  // what the server asked for

  [[nodiscard]] bool not_found() const { return code == 404; }
  /// An optimistic lock failed: read again, decide again. AlreadyExists has the same code and its own reason.
  [[nodiscard]] bool conflict() const { return code == 409 && reason != "AlreadyExists"; }
  /// May also be the answer to our own create whose first try got lost: look at the object before
  /// complaining.
  [[nodiscard]] bool already_exists() const { return code == 409 && reason == "AlreadyExists"; }
  /// The resourceVersion is too old (410 Gone): list anew.
  [[nodiscard]] bool expired() const { return code == 410 || reason == "Expired"; }
  [[nodiscard]] bool unreachable() const { return code == 0; }
  /// The same call may succeed later, unchanged.
  [[nodiscard]] bool retryable() const { return code == 0 || code == 408 || code == 429 || code >= 500; }
  /// "PATCH /api/...: 409 Conflict: the object has been modified".
  [[nodiscard]] std::string text() const;
};

/// A T or an ApiError.
template <class T>
using Answer = Result<T, ApiError>;

}  // namespace ambassador::kube
