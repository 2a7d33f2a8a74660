// What is a word of SQL text, and what is not.
#include <catch2/catch.hpp>
#include <string>

#include "proxy/postgresql/sql_words.hpp"

using namespace ambassador::proxy::postgresql;

namespace {

// Words as they are, names in brackets, literals as @, punctuation as it is; blanks between.
struct Written {
  std::string text;
  void word(std::string_view word) { text.append(word.empty() ? "LONG" : word).append(" "); }
  void name(std::string_view name) { text.append("[").append(name.empty() ? "LONG" : name).append("] "); }
  void literal() { text += "@ "; }
  void punctuation(char c) { text.append(1, c).append(" "); }
  void unknown() { text += "UNKNOWN "; }
};

// Has no use for words that begin with letters from n on.
struct Choosy : Written {
  [[nodiscard]] static bool minds(char first) { return first < 'n'; }
};

template <class Visitor = Written>
std::string words(const std::string& sql, std::size_t piece = 1000, Strings strings = Strings::standard) {
  SqlWords words;
  Visitor written;
  words.begin(strings);
  for (std::size_t at = 0; at < sql.size(); at += piece)
    words.feed(std::string_view(sql).substr(at, piece), written);
  if (!words.end(written)) written.text += "OPEN ";
  if (!written.text.empty()) written.text.pop_back();
  return written.text;
}

struct Case {
  std::string sql;
  std::string words;
};

const Case kCases[] = {
    {"", ""},
    {"SELECT a_1, B$2", "select a_1 , b$2"},
    {"SELECT 'x''y' z", "select @ z"},
    {"E'a\\'b' c", "e @ c"},
    {"'a\\' c", "@ c"},
    {"U&'\\0041' c", "u & @ c"},
    {"ne'a\\' c", "ne @ c"},
    // A string that follows a line's end goes on with the one before, so E'' rules it too.
    {"E'a' \n 'b\\' c' d", "e @ d"},
    {"E'a' -- x ' \n 'b\\' c' d", "e @ d"},
    {"E'a' 'b\\' c", "e @ @ c"},
    {"E'a' /* \n */ 'b\\' c", "e @ @ c"},
    {"E'a' \n - 'b\\' c", "e @ - @ c"},
    {"E'a' \n x 'b\\' c", "e @ x @ c"},
    {"'a' \n 'b\\' c", "@ @ c"},
    {"\"a\"\"b\" c", "[a\"b] c"},
    {"\"A b\"(", "[A b] ("},
    {"a\"b\"c", "a [b] c"},
    {"$1 $2a", "1 2 a"},
    {"$$ x $$ y", "@ y"},
    {"$a$ $b$ $$ $a$ y", "@ y"},
    {"$a$ $$a$ y", "@ y"},
    {"$A$ $a$ x $A$ y", "@ y"},
    {"a$b$ c $b$", "a$b$ c @ OPEN"},
    {"x -- y\n z", "x z"},
    {"x - y", "x - y"},
    {"x --y\r z --", "x z"},
    {"x /* /* */ y */ z", "x z"},
    {"x /*/ y */ z", "x z"},
    {"x /**/ y /***/ z", "x y z"},
    {"a/b", "a / b"},
    {"a/", "a /"},
    {"a-", "a -"},
    {"'x", "@ OPEN"},
    {"\"x", "OPEN"},
    {"/* x", "OPEN"},
    {"$$ x", "@ OPEN"},
    {"\xc3\xa4x(", std::string("\1\1x (")},
    {std::string(63, 'a') + " " + std::string(64, 'b'), std::string(63, 'a') + " LONG"},
    {"\"" + std::string(64, 'b') + "\"", "[LONG]"},
    {"$" + std::string(63, 't') + "$ x $" + std::string(63, 't') + "$ y", "@ y"},
    {"$" + std::string(64, 't') + "$", "UNKNOWN t$"},
};

}  // namespace

TEST_CASE("words are what is outside of strings, comments and dollar quotes") {
  for (const Case& c : kCases) {
    INFO(c.sql);
    CHECK(words(c.sql) == c.words);
  }
}

TEST_CASE("words that say nothing now are passed over") {
  const std::string sql = "SELECT a FROM x1, E'z\\' ' ; \"z\" zE'b' c" + std::string(70, 'z');
  for (const std::size_t piece : {1U, 2U, 3U, 1000U})
    CHECK(words<Choosy>(sql, piece) == "a from , e @ ; [z] @ LONG");
  CHECK(words<Choosy>("z").empty());
}

TEST_CASE("words are the same in whatever pieces the text comes") {
  for (const Case& c : kCases) {
    const std::string whole = words(c.sql);
    for (const std::size_t piece : {1U, 2U, 3U, 5U}) {
      INFO(c.sql << " in pieces of " << piece);
      CHECK(words(c.sql, piece) == whole);
    }
  }
}

TEST_CASE("without standard_conforming_strings a backslash hides a quote in every string") {
  CHECK(words("'a\\' b' c", 1000, Strings::escaped) == "@ c");
  CHECK(words("'a\\\\' b", 1000, Strings::escaped) == "@ b");
}
