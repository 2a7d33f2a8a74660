#include "common/config/node.hpp"

#include <algorithm>

#include "common/config/parse.hpp"
#include "common/config/tree_builder.hpp"

namespace ambassador::config {

const TreeNode* TreeNode::find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

const char* kind_name(TreeNode::Kind kind) {
  switch (kind) {
    case TreeNode::Kind::null:
      return "null";
    case TreeNode::Kind::boolean:
      return "true or false";
    case TreeNode::Kind::integer:
      return "a number";
    case TreeNode::Kind::number:
      return "a number with a fraction or exponent";
    case TreeNode::Kind::text:
      return "text";
    case TreeNode::Kind::list:
      return "a list";
    case TreeNode::Kind::object:
      return "an object";
  }
  return "";
}

std::string at_line(std::size_t line) {
  return " (line " + std::to_string(line) + ")";
}

bool TreeBuilder::open(TreeNode::Kind kind, std::size_t line) {
  if (open_.size() >= kMaxDepth) {
    fail("nested deeper than " + std::to_string(kMaxDepth) + " levels" + at_line(line));
    return false;
  }
  TreeNode node;
  node.kind = kind;
  node.line = line;
  open_.push_back(std::move(node));
  waiting_keys_.push_back(std::exchange(key_, std::nullopt));
  return true;
}

void TreeBuilder::close() {
  TreeNode node = std::move(open_.back());
  open_.pop_back();
  key_ = std::move(waiting_keys_.back());
  waiting_keys_.pop_back();
  add(std::move(node));
}

void TreeBuilder::scalar(TreeNode::Kind kind, std::string text, std::size_t line) {
  TreeNode node;
  node.kind = kind;
  node.line = line;
  node.text = std::move(text);
  add(std::move(node));
}

void TreeBuilder::add(TreeNode node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  if (open_.back().kind == TreeNode::Kind::object) {
    open_.back().keys.push_back(std::exchange(key_, std::nullopt).value_or(""));
  }
  open_.back().items.push_back(std::move(node));
}

}  // namespace ambassador::config
