#include "operator/api/review.hpp"

#include <nlohmann/json.hpp>

#include "operator/api/document.hpp"
#include "operator/api/parse.hpp"

namespace ambassador::api {
namespace {

using nlohmann::json;

bool being_deleted(const json& object) {
  return !member(member(object, "metadata"), "deletionTimestamp").is_null();
}

}  // namespace

PolicyReview review_policy(const json& request) {
  const json& operation = member(request, "operation");
  if (operation != "CREATE" && operation != "UPDATE") return {};
  const json& object = member(request, "object");
  if (operation == "UPDATE" &&
      (being_deleted(object) || member(object, "spec") == member(request, "oldObject", "spec"))) {
    return {};
  }
  const ParsedPolicy parsed = parse_policy(object);
  if (parsed.problems.empty()) return {};
  return {.allowed = false, .message = parsed.message(), .warnings = {}};
}

}  // namespace ambassador::api
