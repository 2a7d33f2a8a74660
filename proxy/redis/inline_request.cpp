#include "proxy/redis/inline_request.hpp"

namespace ambassador::proxy::redis {
namespace {

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Appends what stands between the quote at line[at - 1] and its partner; false when that is missing. Leaves
// `at` behind the partner.
bool take_quoted(std::string_view line, std::size_t& at, char quote, std::string& word) {
  while (at < line.size() && line[at] != quote) {
    if (line[at] != '\\' || at + 1 == line.size()) {
      word += line[at++];
    } else if (quote == '\'') {
      word += line[at + 1] == '\'' ? '\'' : '\\';
      at += line[at + 1] == '\'' ? 2 : 1;
    } else if (line[at + 1] == 'x' && at + 3 < line.size() && hex_digit(line[at + 2]) >= 0 &&
               hex_digit(line[at + 3]) >= 0) {
      word += static_cast<char>(hex_digit(line[at + 2]) * 16 + hex_digit(line[at + 3]));
      at += 4;
    } else {
      word += unescaped(line[at + 1]);
      at += 2;
    }
  }
  return at < line.size() && line[at++] == quote;
}

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view line) {
  line = line.substr(0, line.find('\0'));  // for Redis, a string ends there
  std::vector<std::string> words;
  std::size_t at = 0;
  for (;;) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return words;
    std::string& word = words.emplace_back();
    while (at < line.size() && !is_blank(line[at])) {
      const char c = line[at++];
      if (c != '"' && c != '\'') {
        word += c;
        continue;
      }
      if (!take_quoted(line, at, c, word)) return std::nullopt;
      if (at < line.size() && !is_blank(line[at])) return std::nullopt;
    }
  }
}

}  // namespace ambassador::proxy::redis
