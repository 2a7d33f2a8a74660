// Takes SQL text apart as PostgreSQL's scanner does (src/backend/parser/scan.l): words outside of strings,
// comments and dollar quotes, names in double quotes, punctuation. No grammar. Text may come in pieces, cut
// anywhere; nothing is allocated. Used by what looks through queries (PinScan, RouteScan), so it is fast.
// Pure.
//
// What it can't know: text of a client whose client_encoding is not a superset of ASCII byte by byte (SJIS,
// BIG5, GBK, UHC, GB18030, JOHAB) may have a backslash as half of a letter.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ambassador::proxy::postgresql {

/// What a backslash is in '...': standard_conforming_strings on, or off.
enum class Strings : std::uint8_t { standard, escaped };

/// A Visitor has
///   void word(std::string_view)  an identifier or keyword, in small letters (bytes outside of ASCII as 1);
///                                empty if it is longer than kMaxWord
///   void name(std::string_view)  what is in double quotes, as it is; empty if it is longer than kMaxWord
///   void literal()               a string or dollar quote begins; E'...' is the word e and a literal
///   void punctuation(char)       any other byte but white space and comments; numbers byte by byte,
///                                parameters by their digits
///   void unknown()               from here on the words may be wrong
/// and may have
///   bool minds(char)             false: a word that begins with this small letter would say nothing now
class SqlWords {
 public:
  static constexpr std::size_t kMaxWord = 63;  // NAMEDATALEN - 1: the server cuts what is longer
  static constexpr std::size_t kMaxTag = 63;   // of a dollar quote; the server has no limit

  void begin(Strings strings) {
    in_ = In::plain;
    strings_ = strings;
  }
  template <class Visitor>
  void feed(std::string_view piece, Visitor& visitor);
  /// The text has ended. False: within a string, comment or name, which is an error to the server.
  template <class Visitor>
  bool end(Visitor& visitor);

 private:
  enum class In : std::uint8_t {
    plain,
    word,
    other_word,  // that nobody minds
    string,
    string_quote,  // a quote within a string: the end, or half of a doubled one
    joined,        // behind E'...': a string after a line's end goes on with it
    joined_dash,
    joined_line,
    name,        // in double quotes
    name_quote,  // a quote within a name
    dash,        // one '-'
    line,        // -- comment
    slash,
    block,   // /* comment */, which nests
    dollar,  // the tag of a dollar quote, or a parameter
    quoted,  // in a dollar quote
  };
  enum class Class : std::uint8_t { space, letter, quote, double_quote, dash, slash, dollar, other };

  // Letters as small ones; 1: other bytes of a word; 0: none.
  static constexpr std::array<char, 256> kWordBytes = [] {
    std::array<char, 256> table{};
    for (unsigned c = 0; c < 256; ++c) {
      if (c >= 'a' && c <= 'z') table[c] = static_cast<char>(c);
      if (c >= 'A' && c <= 'Z') table[c] = static_cast<char>(c - 'A' + 'a');
      if ((c >= '0' && c <= '9') || c == '_' || c == '$') table[c] = static_cast<char>(c);
      if (c >= 0x80) table[c] = 1;
    }
    return table;
  }();
  static char word_byte(char c) { return kWordBytes[static_cast<unsigned char>(c)]; }
  static constexpr std::array<Class, 256> kClasses = [] {
    std::array<Class, 256> table{};
    for (unsigned c = 0; c < 256; ++c) {
      const bool digit = c >= '0' && c <= '9';
      table[c] = kWordBytes[c] != 0 && !digit && c != '$' ? Class::letter : Class::other;
    }
    for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'})
      table[static_cast<unsigned char>(c)] = Class::space;
    table['\''] = Class::quote;
    table['"'] = Class::double_quote;
    table['-'] = Class::dash;
    table['/'] = Class::slash;
    table['$'] = Class::dollar;
    return table;
  }();
  static Class class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }

  // These read from `at` what they know of, and say where they stopped.
  template <class Visitor>
  const char* in_plain(const char* at, const char* end, Visitor& visitor);
  template <class Visitor>
  static bool is_told(char first, const Visitor& visitor) {
    if constexpr (requires { visitor.minds(first); }) return first == 'e' || visitor.minds(first);  // E'...'
    return true;
  }
  template <class Visitor>
  const char* in_word(const char* at, const char* end, Visitor& visitor);
  static const char* skip_word(const char* at, const char* end) {
    while (at != end && word_byte(*at) != 0) ++at;
    return at;
  }
  const char* in_string(const char* at, const char* end);
  const char* in_block(const char* at, const char* end);
  template <class Visitor>
  const char* in_other(const char* at, Visitor& visitor);

  void start_string(bool escapes) {
    in_ = In::string;
    escapes_ = escapes || strings_ == Strings::escaped;
    joins_ = escapes;
    escaped_ = false;
  }
  void append(char c) {
    if (size_ < kMaxWord) word_[size_] = c;
    if (size_ <= kMaxWord) ++size_;
  }
  [[nodiscard]] std::string_view text() const {
    return size_ > kMaxWord ? std::string_view() : std::string_view(word_.data(), size_);
  }

  In in_ = In::plain;
  Strings strings_ = Strings::standard;
  bool escapes_ = false;     // backslashes count in this string
  bool joins_ = false;       // it is E'...'
  bool escaped_ = false;     // behind a backslash
  bool line_ended_ = false;  // in joined
  char before_ = 0;          // in a block comment
  std::uint8_t size_ = 0;    // of the word or name; kMaxWord + 1: too long
  std::uint8_t tag_size_ = 0;
  std::uint8_t matched_ = 0;  // of the tag that closes
  unsigned depth_ = 0;        // of block comments
  std::array<char, kMaxWord> word_{};
  std::array<char, kMaxTag + 2> tag_{};
};

template <class Visitor>
void SqlWords::feed(std::string_view piece, Visitor& visitor) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at != end) {
    switch (in_) {
      case In::plain:
        at = in_plain(at, end, visitor);
        break;
      case In::word:
        at = in_word(at, end, visitor);
        break;
      case In::other_word:
        at = skip_word(at, end);
        if (at != end) in_ = In::plain;
        break;
      case In::string:
        at = in_string(at, end);
        break;
      case In::block:
        at = in_block(at, end);
        break;
      default:
        at = in_other(at, visitor);
        break;
    }
  }
}

template <class Visitor>
bool SqlWords::end(Visitor& visitor) {
  switch (in_) {
    case In::word:
      visitor.word(text());
      return true;
    case In::name_quote:
      visitor.name(text());
      return true;
    case In::dash:
    case In::joined_dash:
      visitor.punctuation('-');
      return true;
    case In::slash:
      visitor.punctuation('/');
      return true;
    case In::plain:
    case In::other_word:
    case In::string_quote:
    case In::joined:
    case In::joined_line:
    case In::line:
    case In::dollar:
      return true;
    case In::string:
    case In::name:
    case In::block:
    case In::quoted:
      break;
  }
  return false;
}

template <class Visitor>
const char* SqlWords::in_plain(const char* at, const char* end, Visitor& visitor) {
  for (; at != end; ++at) {
    switch (class_of(*at)) {
      case Class::space:
        continue;
      case Class::other:
        visitor.punctuation(*at);
        continue;
      case Class::letter:
        in_ = is_told(word_byte(*at), visitor) ? In::word : In::other_word;
        size_ = 0;
        return at;
      case Class::quote:
        visitor.literal();
        start_string(false);
        return at + 1;
      case Class::double_quote:
        in_ = In::name;
        size_ = 0;
        return at + 1;
      case Class::dash:
        in_ = In::dash;
        return at + 1;
      case Class::slash:
        in_ = In::slash;
        return at + 1;
      case Class::dollar:
        in_ = In::dollar;
        tag_[0] = '$';
        tag_size_ = 1;
        return at + 1;
    }
  }
  return at;
}

template <class Visitor>
const char* SqlWords::in_word(const char* at, const char* end, Visitor& visitor) {
  std::size_t size = size_;  // in a register: what is written to word_ might be size_, for all that is known
  const auto room = static_cast<std::ptrdiff_t>(kMaxWord - std::min(size, kMaxWord));
  const char* const full = end - at > room ? at + room : end;
  for (; at != full; ++at) {
    const char small = word_byte(*at);
    if (small == 0) break;
    word_[size++] = small;
  }
  if (at == full && at != end && word_byte(*at) != 0) {
    size = kMaxWord + 1;
    at = skip_word(at, end);
  }
  size_ = static_cast<std::uint8_t>(size);
  if (at == end) return at;
  visitor.word(text());
  in_ = In::plain;
  if (*at != '\'' || size != 1 || word_[0] != 'e') return at;
  visitor.literal();
  start_string(true);
  return at + 1;
}

inline const char* SqlWords::in_string(const char* at, const char* end) {
  if (!escapes_) {
    const void* quote = std::memchr(at, '\'', static_cast<std::size_t>(end - at));
    if (quote == nullptr) return end;
    in_ = In::string_quote;
    return static_cast<const char*>(quote) + 1;
  }
  for (; at != end; ++at) {
    if (escaped_) {
      escaped_ = false;
    } else if (*at == '\\') {
      escaped_ = true;
    } else if (*at == '\'') {
      in_ = In::string_quote;
      return at + 1;
    }
  }
  return at;
}

inline const char* SqlWords::in_block(const char* at, const char* end) {
  for (; at != end; ++at) {
    if (before_ == '*' && *at == '/') {
      before_ = 0;
      if (--depth_ == 0) {
        in_ = In::plain;
        return at + 1;
      }
    } else if (before_ == '/' && *at == '*') {
      before_ = 0;
      ++depth_;
    } else {
      before_ = *at;
    }
  }
  return at;
}

// What is short or rare, byte by byte. It does not step over a byte that is the next state's.
template <class Visitor>
const char* SqlWords::in_other(const char* at, Visitor& visitor) {
  const char c = *at;
  const bool ends_line = c == '\n' || c == '\r';
  switch (in_) {
    case In::string_quote:
      if (c == '\'') {
        in_ = In::string;
        return at + 1;
      }
      in_ = joins_ ? In::joined : In::plain;
      line_ended_ = false;
      return at;
    case In::joined:
      if (c == '\'' && line_ended_) {
        start_string(true);
      } else if (c == '-') {
        in_ = In::joined_dash;
      } else if (class_of(c) != Class::space) {
        in_ = In::plain;
        return at;
      }
      line_ended_ |= ends_line;
      return at + 1;
    case In::joined_dash:
      if (c == '-') {
        in_ = In::joined_line;
        return at + 1;
      }
      in_ = In::plain;
      visitor.punctuation('-');
      return at;
    case In::joined_line:
      if (!ends_line) return at + 1;
      in_ = In::joined;
      return at;
    case In::name:
      if (c == '"') {
        in_ = In::name_quote;
      } else {
        append(c);
      }
      return at + 1;
    case In::name_quote:
      if (c == '"') {
        in_ = In::name;
        append(c);
        return at + 1;
      }
      in_ = In::plain;
      visitor.name(text());
      return at;
    case In::dash:
      if (c == '-') {
        in_ = In::line;
        return at + 1;
      }
      in_ = In::plain;
      visitor.punctuation('-');
      return at;
    case In::line:
      if (ends_line) in_ = In::plain;
      return at + 1;
    case In::slash:
      if (c == '*') {
        in_ = In::block;
        depth_ = 1;
        before_ = 0;
        return at + 1;
      }
      in_ = In::plain;
      visitor.punctuation('/');
      return at;
    case In::dollar:
      if (c == '$') {
        tag_[tag_size_++] = c;
        in_ = In::quoted;
        matched_ = 0;
        visitor.literal();
        return at + 1;
      }
      if (tag_size_ == 1 ? class_of(c) == Class::letter : word_byte(c) != 0) {
        // As raw as it is: tags differ by case.
        if (tag_size_ <= kMaxTag) {
          tag_[tag_size_++] = c;
          return at + 1;
        }
        visitor.unknown();
      }
      in_ = In::plain;  // a parameter, or an error to the server
      return at;
    case In::quoted:
      if (c == tag_[matched_]) {
        if (++matched_ == tag_size_) in_ = In::plain;
      } else {
        matched_ = c == '$' ? 1 : 0;
      }
      return at + 1;
    case In::plain:
    case In::word:
    case In::other_word:
    case In::string:
    case In::block:
      break;
  }
  return at;
}

}  // namespace ambassador::proxy::postgresql
