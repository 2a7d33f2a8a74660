#include "common/config/node.hpp"

#include <algorithm>

#include "common/config/parse.hpp"
#include "common/config/tree_builder.hpp"

namespace ambassador::config {

const Node* Node::find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

const char* kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::integer:
      return "a number";
    case Node::Kind::number:
      return "a number with a fraction or exponent";
    case Node::Kind::text:
      return "text";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::object:
      return "an object";
  }
  return "";
}

std::string at_line(std::size_t line) {
  return " (line " + std::to_string(line) + ")";
}

bool TreeBuilder::open(Node::Kind kind, std::size_t line) {
  if (open_.size() >= kMaxDepth) {
    fail("nested deeper than " + std::to_string(kMaxDepth) + " levels" + at_line(line));
    return false;
  }
  Node node;
  node.kind = kind;
  node.line = line;
  open_.push_back(std::move(node));
  waiting_keys_.push_back(std::exchange(key_, std::nullopt));
  return true;
}

void TreeBuilder::close() {
  Node node = std::move(open_.back());
  open_.pop_back();
  key_ = std::move(waiting_keys_.back());
  waiting_keys_.pop_back();
  add(std::move(node));
}

void TreeBuilder::scalar(Node::Kind kind, std::string text, std::size_t line) {
  Node node;
  node.kind = kind;
  node.line = line;
  node.text = std::move(text);
  add(std::move(node));
}

void TreeBuilder::add(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  if (open_.back().kind == Node::Kind::object) {
    open_.back().keys.push_back(std::move(*key_));
    key_.reset();
  }
  open_.back().items.push_back(std::move(node));
}

}  // namespace ambassador::config
