#include <array>

#include "operator/api/parse_parts.hpp"
#include "operator/api/shorten.hpp"

namespace ambassador::api {
namespace {

constexpr std::size_t kMaxLabels = 32;
constexpr std::size_t kMaxExpressions = 16;
constexpr std::size_t kMaxValues = 32;

void read_labels(Fields& fields, Labels& labels) {
  const auto* object = fields.object("matchLabels");
  if (object == nullptr) return;
  if (object->size() > kMaxLabels) {
    fields.problems().invalid(fields.path("matchLabels"), "holds too many labels: give at most 32");
    return;
  }
  for (const auto& [key, value] : object->items()) {
    if (value.is_string()) {
      labels[key] = value.get<std::string>();
    } else {
      fields.problems().invalid(fields.path("matchLabels"), shown(value) + " of \"" + shortened(key, 80) +
                                                                "\" is no text: put it in quotes");
    }
  }
}

LabelRequirement read_requirement(Fields& fields) {
  LabelRequirement requirement;
  fields.required("key", "the label's name");
  requirement.key = fields.string("key", 317).value_or("");  // prefix 253, '/', name 63
  fields.required("operator", words(kLabelOperators));
  const auto op = fields.choice("operator", kLabelOperators);
  requirement.op = op.value_or(LabelOperator::exists);
  requirement.values = fields.strings("values", kMaxValues);
  const bool listing = requirement.op == LabelOperator::in || requirement.op == LabelOperator::not_in;
  if (op && listing == requirement.values.empty()) {
    fields.problems().invalid(fields.path("values"),
                              listing ? "is empty: give at least one value for In and NotIn"
                                      : "must be empty for Exists and DoesNotExist");
  }
  fields.finish();
  return requirement;
}

}  // namespace

std::optional<LabelSelector> read_selector(Fields& parent, std::string_view key) {
  const auto* object = parent.object(key);
  if (object == nullptr) return std::nullopt;
  Fields fields(*object, parent.path(key), parent.problems());
  LabelSelector selector;
  read_labels(fields, selector.match_labels);
  const auto* list = fields.array("matchExpressions", kMaxExpressions);
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    Fields element((*list)[i], fields.path("matchExpressions") + "[" + std::to_string(i) + "]",
                   parent.problems());
    selector.match_expressions.push_back(read_requirement(element));
  }
  fields.finish();
  return selector;
}

}  // namespace ambassador::api
