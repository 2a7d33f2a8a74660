#include "common/config/reader.hpp"
#include "common/config/tree_builder.hpp"

namespace ambassador::config {
namespace {

constexpr std::size_t kMaxShown = 60;  // bytes of a value or key in a message

std::string cut(std::string_view text) {
  if (text.size() <= kMaxShown) return std::string(text);
  auto end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;  // not inside a character
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace

void Findings::add(std::string path, std::string what, std::size_t line) {
  if (!full()) found_.push_back({line, Error{std::move(path), std::move(what)}});
}

std::vector<Error> Findings::take(bool with_lines) {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Found& a, const Found& b) { return a.line < b.line; });
  std::vector<Error> errors;
  for (Found& found : found_) {
    if (with_lines) found.error.what += at_line(found.line);
    errors.push_back(std::move(found.error));
  }
  found_.clear();
  return errors;
}

std::string path_to(const std::string& path, std::string_view key) {
  return path.empty() ? cut(key) : path + "." + cut(key);
}

std::string path_to(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

std::string shown(const TreeNode& node) {
  switch (node.kind) {
    case TreeNode::Kind::text:
      return "'" + cut(node.text) + "'";
    case TreeNode::Kind::list:
      return "[...]";
    case TreeNode::Kind::object:
      return "{...}";
    default:
      return cut(node.text);
  }
}

}  // namespace ambassador::config
