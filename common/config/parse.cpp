#include "common/config/parse.hpp"

#include <algorithm>
#include <charconv>

#include "common/config/backend_name.hpp"
#include "common/config/consistency.hpp"
#include "common/config/node.hpp"
#include "common/config/reader.hpp"
#include "common/config/tree_builder.hpp"
#include "common/text/utf8.hpp"

namespace ambassador::config {
namespace {

Parsed failed(Error error) {
  Parsed parsed;
  parsed.errors.push_back(std::move(error));
  return parsed;
}

Result<TreeNode> tree_of(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos) return Error{"", "the document is empty; give at least version: 1"};
  return text[start] == '{' ? tree_of_json(text) : tree_of_yaml(text);
}

/// A document from the future may have any form: say so before complaining of its fields.
bool is_newer(const TreeNode& root) {
  const TreeNode* node = root.find("version");
  if (node == nullptr || node->kind != TreeNode::Kind::integer || node->text.starts_with('-')) return false;
  int version = 0;
  const auto [end, problem] =
      std::from_chars(node->text.data(), node->text.data() + node->text.size(), version);
  return problem == std::errc::result_out_of_range || version > kVersion;
}

}  // namespace

Parsed parse_all(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return failed({"", std::to_string(text.size()) + " bytes are too many; give at most " +
                           std::to_string(kMaxTextBytes)});
  }
  if (const std::size_t good = text::utf8_bytes(text); good < text.size()) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(good), '\n');
    return failed({"", "not UTF-8" + at_line(static_cast<std::size_t>(line)) + "; save it as UTF-8"});
  }
  const auto tree = tree_of(text);
  if (!tree) return failed(tree.error());
  const TreeNode& root = *tree;
  if (root.kind != TreeNode::Kind::object) {
    return failed({"", std::string("the document is ") + kind_name(root.kind) +
                           "; give an object with version and listeners"});
  }
  if (is_newer(root)) {
    return failed({"version", root.find("version")->text + " is newer than " + std::to_string(kVersion) +
                                  ", the newest that this build reads; use a newer ambassador-proxy"});
  }
  Parsed parsed;
  Findings findings;
  Reader<Document>::read(root, "", parsed.document, findings);
  for (Listener& listener : parsed.document.listeners) {
    for (Backend& backend : listener.backends) {
      if (backend.name.empty()) backend.name = default_name(backend);
    }
  }
  const bool with_lines = text.find('\n') < text.size() - 1;
  parsed.errors = findings.take(with_lines);
  if (parsed.ok()) {
    check_consistency(parsed.document, root, findings);
    parsed.errors = findings.take(with_lines);
  }
  return parsed;
}

Result<Document> parse(std::string_view text) {
  Parsed parsed = parse_all(text);
  if (!parsed.ok()) return std::move(parsed.errors.front());
  return std::move(parsed.document);
}

std::string text_of(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) text += (text.empty() ? "" : "\n") + error.text();
  return text;
}

}  // namespace ambassador::config
