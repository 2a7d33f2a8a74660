// YAML to tree through yaml-cpp's events. Only what JSON can say is taken: no anchors, aliases, tags or
// further documents, and plain words are typed as YAML 1.2 does (so `no` is text, not false).
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <sstream>

#include "common/config/node.hpp"
#include "common/config/tree_builder.hpp"

namespace ambassador::config {
namespace {

struct Refused {};  // thrown through yaml-cpp, which has no other way to stop

bool is_integer(std::string_view word) {
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  if (word.empty() || (word.size() > 1 && word[0] == '0')) return false;
  return word.find_first_not_of("0123456789") == word.npos;
}

bool is_number(std::string_view word) {
  if (word.size() > 1 && word[0] == '0' && word[1] != '.') return false;  // 01 is octal to some, text to us
  if (word.find_first_not_of("0123456789+-.eE") != word.npos) return false;
  double value = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  return end == word.data() + word.size() && problem == std::errc{};
}

TreeNode::Kind kind_of_word(std::string_view word) {
  if (word == "true" || word == "True" || word == "TRUE") return TreeNode::Kind::boolean;
  if (word == "false" || word == "False" || word == "FALSE") return TreeNode::Kind::boolean;
  if (is_integer(word)) return TreeNode::Kind::integer;
  return is_number(word) ? TreeNode::Kind::number : TreeNode::Kind::text;
}

class YamlEvents final : public YAML::EventHandler {
 public:
  explicit YamlEvents(TreeBuilder& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse("a second document; write one only", mark);
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    no_anchor(mark, anchor);
    if (tree_.wants_key()) return tree_.key("null");
    tree_.scalar(TreeNode::Kind::null, "null", line(mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse("aliases are not read; write the value out", mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    no_anchor(mark, anchor);
    if (tag != "?" && tag != "!") refuse("tags are not read; leave '" + tag + "' out", mark);
    if (tree_.wants_key()) return tree_.key(value);
    const TreeNode::Kind kind = tag == "?" ? kind_of_word(value) : TreeNode::Kind::text;
    const bool is_true = kind == TreeNode::Kind::boolean && (value[0] == 't' || value[0] == 'T');
    tree_.scalar(kind, kind == TreeNode::Kind::boolean ? (is_true ? "true" : "false") : value, line(mark));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(TreeNode::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { tree_.close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(TreeNode::Kind::object, mark, tag, anchor);
  }
  void OnMapEnd() override { tree_.close(); }

 private:
  static std::size_t line(const YAML::Mark& mark) { return static_cast<std::size_t>(mark.line) + 1; }
  [[noreturn]] void refuse(const std::string& why, const YAML::Mark& mark) {
    tree_.fail(why + at_line(line(mark)));
    throw Refused{};
  }
  void no_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse("anchors are not read; leave '&...' out", mark);
  }
  void open(TreeNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    no_anchor(mark, anchor);
    if (tag != "?" && !tag.empty()) refuse("tags are not read; leave '" + tag + "' out", mark);
    if (tree_.wants_key()) refuse("a key must be a word", mark);
    if (!tree_.open(kind, line(mark))) throw Refused{};
  }

  TreeBuilder& tree_;
  bool started_ = false;
};

}  // namespace

Result<TreeNode> tree_of_yaml(std::string_view text) {
  TreeBuilder tree;
  YamlEvents events(tree);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(events)) {
    }
  } catch (const Refused&) {
    return tree.error().value_or(Error{"", "not valid YAML"});
  } catch (const YAML::Exception& problem) {
    const auto line = static_cast<std::size_t>(problem.mark.line < 0 ? 0 : problem.mark.line) + 1;
    return Error{"", "not valid YAML: " + problem.msg + at_line(line)};
  }
  return tree.take();
}

}  // namespace ambassador::config
