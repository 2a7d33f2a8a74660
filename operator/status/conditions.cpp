#include "operator/status/conditions.hpp"

#include <nlohmann/json.hpp>

#include "operator/api/document.hpp"
#include "operator/api/shorten.hpp"

namespace ambassador::status {
namespace {

using nlohmann::json;

std::string time_of(const Condition& condition, const json& previous, const std::string& now) {
  if (!previous.is_array()) return now;
  for (const auto& old : previous) {
    if (api::text_at(old, "type") != condition.type || api::text_at(old, "status") != condition.status)
      continue;
    const auto time = api::text_at(old, "lastTransitionTime");
    return time.empty() ? now : time;
  }
  return now;
}

}  // namespace

json conditions_json(const std::vector<Condition>& conditions, const json& previous, std::int64_t generation,
                     const std::string& now) {
  json list = json::array();
  for (const auto& condition : conditions) {
    list.push_back({{"type", condition.type},
                    {"status", condition.status},
                    {"reason", condition.reason},
                    {"message", api::shortened(condition.message, api::kMaxMessage)},
                    {"observedGeneration", generation},
                    {"lastTransitionTime", time_of(condition, previous, now)}});
  }
  return list;
}

}  // namespace ambassador::status
