#include "operator/api/selector.hpp"

#include <algorithm>

namespace ambassador::api {
namespace {

bool holds(const LabelRequirement& requirement, const Labels& labels) {
  const auto found = labels.find(requirement.key);
  const bool present = found != labels.end();
  const auto listed = [&] {
    return std::ranges::find(requirement.values, found->second) != requirement.values.end();
  };
  switch (requirement.op) {
    case LabelOperator::in:
      return present && listed();
    case LabelOperator::not_in:  // an absent label is in no list (apimachinery, labels.Requirement)
      return !present || !listed();
    case LabelOperator::exists:
      return present;
    case LabelOperator::does_not_exist:
      return !present;
  }
  return false;
}

}  // namespace

bool LabelSelector::matches(const Labels& labels) const {
  const auto has = [&](const auto& wanted) {
    const auto found = labels.find(wanted.first);
    return found != labels.end() && found->second == wanted.second;
  };
  return std::ranges::all_of(match_labels, has) &&
         std::ranges::all_of(match_expressions,
                             [&](const auto& requirement) { return holds(requirement, labels); });
}

}  // namespace ambassador::api
