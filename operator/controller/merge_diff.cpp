#include "operator/controller/merge_diff.hpp"

#include <nlohmann/json.hpp>

namespace ambassador::controller {

nlohmann::json merge_diff(const nlohmann::json& before, const nlohmann::json& after) {
  using nlohmann::json;
  if (!before.is_object() || !after.is_object()) return after;
  json diff = json::object();
  for (const auto& [key, value] : before.items()) {
    if (!after.contains(key)) diff[key] = nullptr;
  }
  for (const auto& [key, value] : after.items()) {
    const auto old = before.find(key);
    if (old == before.end()) {
      diff[key] = value;
    } else if (*old != value) {
      diff[key] = merge_diff(*old, value);
    }
  }
  return diff;
}

}  // namespace ambassador::controller
