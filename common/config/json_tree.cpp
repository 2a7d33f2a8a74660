// JSON to tree through nlohmann's SAX interface: it keeps doubled keys, and a counting iterator tells lines.
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/config/node.hpp"
#include "common/config/tree_builder.hpp"

namespace ambassador::config {
namespace {

struct Position {
  std::size_t line = 1;
  bool after_newline = false;  // the character read last was a line's end
};

/// Counts lines as the lexer reads. Copies share the count.
class LineIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineIterator(const char* at, Position* position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  LineIterator& operator++() {
    position_->after_newline = *at_ == '\n';
    position_->line += position_->after_newline ? 1 : 0;
    ++at_;
    return *this;
  }
  LineIterator operator++(int) {
    LineIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const LineIterator& a, const LineIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  Position* position_;
};

class JsonEvents {
 public:
  using Json = nlohmann::json;
  JsonEvents(TreeBuilder& tree, const Position& position) : tree_(tree), position_(position) {}

  bool null() { return scalar(TreeNode::Kind::null, "null"); }
  bool boolean(bool value) { return scalar(TreeNode::Kind::boolean, value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) { return number(std::to_string(value)); }
  bool number_unsigned(Json::number_unsigned_t value) { return number(std::to_string(value)); }
  bool number_float(Json::number_float_t, const std::string& text) {
    tree_.scalar(TreeNode::Kind::number, text, line_before_lookahead());
    return true;
  }
  bool string(std::string& value) { return scalar(TreeNode::Kind::text, std::move(value)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return tree_.open(TreeNode::Kind::object, position_.line); }
  bool start_array(std::size_t) { return tree_.open(TreeNode::Kind::list, position_.line); }
  bool key(std::string& name) {
    tree_.key(std::move(name));
    return true;
  }
  bool end_object() {
    tree_.close();
    return true;
  }
  bool end_array() { return end_object(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& why) {
    std::string_view text =
        why.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    if (const auto end = text.find("] "); end != text.npos) text.remove_prefix(end + 2);
    tree_.fail("not valid JSON: " + std::string(text));
    return false;
  }

 private:
  bool scalar(TreeNode::Kind kind, std::string text) {
    tree_.scalar(kind, std::move(text), position_.line);
    return true;
  }
  bool number(std::string text) {
    tree_.scalar(TreeNode::Kind::integer, std::move(text), line_before_lookahead());
    return true;
  }
  /// A number ends only where the next character is seen.
  [[nodiscard]] std::size_t line_before_lookahead() const {
    return position_.line - (position_.after_newline ? 1 : 0);
  }

  TreeBuilder& tree_;
  const Position& position_;
};

}  // namespace

Result<TreeNode> tree_of_json(std::string_view text) {
  TreeBuilder tree;
  Position position;
  JsonEvents events(tree, position);
  const char* const end = text.data() + text.size();
  const bool whole =
      nlohmann::json::sax_parse(LineIterator(text.data(), &position), LineIterator(end, &position), &events);
  if (const auto& error = tree.error()) return *error;
  if (!whole) return Error{"", "not valid JSON"};
  return tree.take();
}

}  // namespace ambassador::config
