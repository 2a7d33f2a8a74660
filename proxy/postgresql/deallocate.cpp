#include "proxy/postgresql/deallocate.hpp"

#include <algorithm>

#include "common/text/ascii.hpp"

namespace ambassador::proxy::postgresql {
namespace {

using text::lower;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_letter(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
}

void skip_spaces(std::string_view& text) {
  text.remove_prefix(
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_space) - text.begin()));
}

// ASCII alone; how the server folds others depends on its encoding.
std::string take_word(std::string_view& text) {
  const auto end = std::find_if_not(
      text.begin(), text.end(), [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '$'; });
  std::string word(text.begin(), end);
  text.remove_prefix(word.size());
  std::transform(word.begin(), word.end(), word.begin(), lower);
  return word;
}

std::optional<std::string> take_quoted(std::string_view& text) {
  std::string name;
  for (text.remove_prefix(1); !text.empty(); text.remove_prefix(1)) {
    if (text.front() == '"') {
      text.remove_prefix(1);
      if (text.empty() || text.front() != '"') return name;
    }
    name += text.front();
  }
  return std::nullopt;
}

// Tells of the semicolons that end statements.
struct Ends {
  void word(std::string_view /*word*/) {}
  void name(std::string_view /*name*/) {}
  void literal() {}
  void punctuation(char c) { ended = ended || c == ';'; }
  void unknown() {}
  bool ended = false;
};

}  // namespace

bool may_deallocate(std::string_view sql) {
  constexpr std::string_view kWord = "deallocate";
  for (;;) {
    skip_spaces(sql);
    if (sql.size() > kWord.size() &&
        std::equal(kWord.begin(), kWord.end(), sql.begin(), [](char a, char b) { return a == lower(b); }))
      return true;
    const auto semicolon = sql.find(';');
    if (semicolon == std::string_view::npos) return false;
    sql.remove_prefix(semicolon + 1);
  }
}

std::optional<std::string> rename_deallocated(
    std::string_view sql, Strings strings,
    const std::function<std::string_view(const std::string& name)>& server_name) {
  std::string renamed;
  bool any = false;
  const auto add = [&](std::string_view statement) {
    const auto name = deallocated(statement);
    const std::string_view other = name ? server_name(*name) : std::string_view();
    any = any || !other.empty();
    if (other.empty()) {
      renamed += statement;
    } else {
      renamed.append("DEALLOCATE \"").append(other).append("\"");
    }
  };
  SqlWords words;
  words.begin(strings);
  std::size_t start = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    Ends ends;
    words.feed(sql.substr(i, 1), ends);
    if (!ends.ended) continue;
    add(sql.substr(start, i - start));
    renamed += ';';
    start = i + 1;
  }
  add(sql.substr(start));
  if (!any) return std::nullopt;
  return renamed;
}

std::optional<std::string> deallocated(std::string_view sql) {
  skip_spaces(sql);
  if (take_word(sql) != "deallocate") return std::nullopt;
  std::optional<std::string> name;
  bool quoted = false;
  for (bool again = true; again;) {
    again = false;
    const std::size_t before = sql.size();
    skip_spaces(sql);
    quoted = !sql.empty() && sql.front() == '"';
    if (!quoted && sql.size() == before) return std::nullopt;
    name = quoted ? take_quoted(sql) : take_word(sql);
    if (!quoted && name == "prepare") again = true;
  }
  skip_spaces(sql);
  if (!sql.empty() && sql.front() == ';') sql.remove_prefix(1);
  skip_spaces(sql);
  const bool all = !quoted && name == "all";
  // A longer name is cut by the server, in its own way.
  if (!name || name->empty() || name->size() > 63 || all || !sql.empty()) return std::nullopt;
  if (!quoted && !is_letter(name->front())) return std::nullopt;
  return name;
}

}  // namespace ambassador::proxy::postgresql
