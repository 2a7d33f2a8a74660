#include "proxy/postgresql/deallocate.hpp"

#include <algorithm>

namespace ambassador::proxy::postgresql {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
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

}  // namespace

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
