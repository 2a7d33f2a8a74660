// The visitor that fills a T from a tree, strictly. Inside of common/config.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/config/duration.hpp"
#include "common/config/fields.hpp"
#include "common/config/node.hpp"

namespace ambassador::config {

/// Errors with the lines they belong to, up to kMaxErrors.
class Findings {
 public:
  void add(std::string path, std::string what, std::size_t line);
  [[nodiscard]] bool full() const { return found_.size() >= kMaxErrors; }
  /// In the order of the text. Lines are named when the text has more than one.
  [[nodiscard]] std::vector<Error> take(bool with_lines);

 private:
  struct Found {
    std::size_t line;
    Error error;
  };
  std::vector<Found> found_;
};

/// `key` of the object at `path`, or an index of a list.
std::string path_to(const std::string& path, std::string_view key);
std::string path_to(const std::string& path, std::size_t index);
/// A value as a message shows it: quoted, cut.
std::string shown(const TreeNode& node);

template <class T>
class Reader {
 public:
  /// `node` is an object (read() has checked).
  Reader(const TreeNode& node, std::string path, T& out, Findings& findings)
      : node_(node), path_(std::move(path)), out_(out), findings_(findings) {}

  /// Reads all fields of T and refuses what is left.
  static void read(const TreeNode& node, const std::string& path, T& out, Findings& findings) {
    if (node.kind != TreeNode::Kind::object) {
      return findings.add(path, shown(node) + " is " + kind_name(node.kind) + "; give an object", node.line);
    }
    Reader reader(node, path, out, findings);
    describe(reader, Of<T>{});
    reader.refuse_unknown();
  }

  template <class N>
  void integer(const char* key, N T::*member, Range range, Presence presence, const char*) {
    const TreeNode* node = take(key, presence);
    if (node == nullptr) return;
    const auto bounds =
        std::to_string(range.least) + (range.least == range.most ? "" : " to " + std::to_string(range.most));
    if (node->kind != TreeNode::Kind::integer) return wrong_kind(key, *node, "a whole number, " + bounds);
    std::int64_t value = 0;
    std::string_view text = node->text;
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || value < range.least || value > range.most) {
      return add(key, *node, shown(*node) + " is out of range; give " + bounds);
    }
    out_.*member = static_cast<N>(value);
  }

  void boolean(const char* key, bool T::*member, const char*) {
    const TreeNode* node = take(key, Presence::optional);
    if (node == nullptr) return;
    if (node->kind != TreeNode::Kind::boolean) return wrong_kind(key, *node, "true or false");
    out_.*member = node->text == "true";
  }

  void duration(const char* key, std::chrono::milliseconds T::*member, DurationRange range, const char*) {
    const TreeNode* node = take(key, Presence::optional);
    if (node == nullptr) return;
    if (node->kind != TreeNode::Kind::text)
      return wrong_kind(key, *node, "a duration such as \"5s\" or \"1m30s\"");
    const auto value = parse_duration(node->text);
    if (!value) return add(key, *node, value.error().what);
    if (*value < range.least || *value > range.most) {
      return add(key, *node,
                 shown(*node) + " is out of range; give " + print_duration(range.least) + " to " +
                     print_duration(range.most));
    }
    out_.*member = *value;
  }

  template <class E, std::size_t N>
  void choice(const char* key, E T::*member, const Spelling<E, N>& spelling, Presence presence, const char*) {
    const TreeNode* node = take(key, presence);
    if (node == nullptr) return;
    if (node->kind == TreeNode::Kind::text && unspell(spelling, node->text, out_.*member)) return;
    std::string words;
    for (const auto& entry : spelling) words += (words.empty() ? "" : ", ") + std::string(entry.first);
    add(key, *node, shown(*node) + " is not known; give one of " + words);
  }

  void text(const char* key, std::string T::*member, const TextRule& rule, Presence presence, const char*) {
    const TreeNode* node = take(key, presence);
    if (node != nullptr) read_text(path_to(path_, key), *node, rule, out_.*member);
  }

  void texts(const char* key, std::vector<std::string> T::*member, const TextRule& rule, std::size_t most,
             const char*) {
    each(key, most, [&](const TreeNode& item, const std::string& path) {
      read_text(path, item, rule, (out_.*member).emplace_back());
    });
  }

  template <class U>
  void object(const char* key, U T::*member, const char*) {
    const TreeNode* node = take(key, Presence::optional);
    if (node != nullptr) Reader<U>::read(*node, path_to(path_, key), out_.*member, findings_);
  }

  template <class U>
  void optional(const char* key, std::optional<U> T::*member, const char*) {
    const TreeNode* node = take(key, Presence::optional);
    if (node != nullptr) Reader<U>::read(*node, path_to(path_, key), (out_.*member).emplace(), findings_);
  }

  template <class U>
  void objects(const char* key, std::vector<U> T::*member, std::size_t most, const char*) {
    each(key, most, [&](const TreeNode& item, const std::string& path) {
      Reader<U>::read(item, path, (out_.*member).emplace_back(), findings_);
    });
  }

  template <class F>
  void group(const char* key, const char*, F fields) {
    const TreeNode* node = take(key, Presence::optional);
    if (node == nullptr) return;
    if (node->kind != TreeNode::Kind::object) return wrong_kind(key, *node, "an object");
    Reader inner(*node, path_to(path_, key), out_, findings_);
    fields(inner);
    inner.refuse_unknown();
  }

 private:
  const TreeNode* take(const char* key, Presence presence) {
    known_.emplace_back(key);
    const TreeNode* node = node_.find(key);
    if (node == nullptr) {
      if (presence == Presence::required)
        findings_.add(path_to(path_, key), "missing; it is required", node_.line);
      return nullptr;
    }
    if (node->kind == TreeNode::Kind::null) {
      add(key, *node, "null is not a value; leave the field out");
      return nullptr;
    }
    return findings_.full() ? nullptr : node;
  }

  void read_text(const std::string& path, const TreeNode& node, const TextRule& rule, std::string& out) {
    if (node.kind != TreeNode::Kind::text) {
      return findings_.add(path, shown(node) + " is " + kind_name(node.kind) + "; give text, in quotes",
                           node.line);
    }
    if (node.text.size() > rule.longest) {
      return findings_.add(path, shown(node) + " is longer than " + std::to_string(rule.longest) + " bytes",
                           node.line);
    }
    if (!rule.accepts(node.text)) {
      return findings_.add(path, shown(node) + " can't stand here; " + rule.wants, node.line);
    }
    out = node.text;
  }

  template <class F>
  void each(const char* key, std::size_t most, F item) {
    const TreeNode* node = take(key, Presence::optional);
    if (node == nullptr) return;
    if (node->kind != TreeNode::Kind::list) return wrong_kind(key, *node, "a list");
    if (node->items.size() > most) {
      return add(key, *node,
                 std::to_string(node->items.size()) + " are too many; give at most " + std::to_string(most));
    }
    for (std::size_t i = 0; i < node->items.size() && !findings_.full(); ++i) {
      item(node->items[i], path_to(path_to(path_, key), i));
    }
  }

  void refuse_unknown() {
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < node_.keys.size() && !findings_.full(); ++i) {
      const std::string& key = node_.keys[i];
      if (!seen.insert(key).second) {
        findings_.add(path_to(path_, key), "given twice; leave one out", node_.items[i].line);
      } else if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        std::string all;
        for (const auto& name : known_) all += (all.empty() ? "" : ", ") + std::string(name);
        findings_.add(path_to(path_, key), "unknown field; known here are " + all, node_.items[i].line);
      }
    }
  }

  void wrong_kind(const char* key, const TreeNode& node, const std::string& wanted) {
    add(key, node, shown(node) + " is " + kind_name(node.kind) + "; give " + wanted);
  }
  void add(const char* key, const TreeNode& node, std::string what) {
    findings_.add(path_to(path_, key), std::move(what), node.line);
  }

  const TreeNode& node_;
  const std::string path_;
  T& out_;
  Findings& findings_;
  std::vector<std::string_view> known_;
};

}  // namespace ambassador::config
