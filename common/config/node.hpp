// A JSON or YAML text as a tree that remembers lines: what the strict reader walks. Inside of common/config.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/result/result.hpp"

namespace ambassador::config {

struct TreeNode {
  enum class Kind { null, boolean, integer, number, text, list, object };
  Kind kind = Kind::null;
  std::size_t line = 1;
  std::string text;               // of a scalar, as written; "true" or "false" of a boolean
  std::vector<std::string> keys;  // of an object, as many as items, doubled ones too
  std::vector<TreeNode> items;    // of a list or an object

  /// The first item under `key`, or null.
  [[nodiscard]] const TreeNode* find(std::string_view key) const;
};

/// "a number", "text", ...: what stands there, for messages.
const char* kind_name(TreeNode::Kind kind);

/// The Error names the line in `what`. `text` is at most kMaxTextBytes long.
Result<TreeNode> tree_of_json(std::string_view text);
Result<TreeNode> tree_of_yaml(std::string_view text);

}  // namespace ambassador::config
