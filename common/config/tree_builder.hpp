// Puts a TreeNode tree together from the events of a JSON or YAML parser, with a bound on depth. Inside of
// common/config.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config/node.hpp"

namespace ambassador::config {

class TreeBuilder {
 public:
  /// False when the nesting gets too deep (error() says so).
  bool open(TreeNode::Kind kind, std::size_t line);
  void close();
  void key(std::string name) { key_ = std::move(name); }
  void scalar(TreeNode::Kind kind, std::string text, std::size_t line);

  void fail(std::string what) { error_ = Error{"", std::move(what)}; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  /// True when the next scalar is a key of the object that is open.
  [[nodiscard]] bool wants_key() const {
    return !open_.empty() && open_.back().kind == TreeNode::Kind::object && !key_;
  }
  [[nodiscard]] TreeNode take() { return std::move(root_); }

 private:
  void add(TreeNode node);

  std::vector<TreeNode> open_;  // the containers around the next value, outermost first
  std::vector<std::optional<std::string>> waiting_keys_;  // under which each of them belongs into its parent
  std::optional<std::string> key_;
  TreeNode root_;
  std::optional<Error> error_;
};

/// " (line 7)".
std::string at_line(std::size_t line);

}  // namespace ambassador::config
