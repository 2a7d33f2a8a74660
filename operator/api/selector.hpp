// Kubernetes label selectors as policies use them. Pure values.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ambassador::api {

using Labels = std::map<std::string, std::string, std::less<>>;

enum class LabelOperator { in, not_in, exists, does_not_exist };

struct LabelRequirement {
  std::string key;
  LabelOperator op = LabelOperator::exists;
  std::vector<std::string> values;
  friend bool operator==(const LabelRequirement&, const LabelRequirement&) = default;
};

/// All of its parts must hold; an empty selector matches everything (apimachinery, LabelSelector).
struct LabelSelector {
  Labels match_labels;
  std::vector<LabelRequirement> match_expressions;

  [[nodiscard]] bool matches(const Labels& labels) const;
  friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};

}  // namespace ambassador::api
