// Looks through SQL text for what pins a client to its server (pins.hpp): words outside of strings, comments
// and dollar quotes. No grammar: where in doubt it pins. Text may come in pieces, so that long queries need
// not be collected. Used by the session on every query, so it is fast. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "proxy/postgresql/pins.hpp"
#include "proxy/postgresql/values.hpp"

namespace ambassador::proxy::postgresql {

class PinScan {
 public:
  /// Another text begins. SET of a parameter in `known` pins nobody.
  void begin(TrackedSet known);
  void feed(std::string_view piece);
  /// The text has ended.
  [[nodiscard]] PinSet end();
  /// After end(): it had UNLISTEN *.
  [[nodiscard]] bool unlistens_all() const { return unlistens_all_; }

 private:
  enum class In : std::uint8_t {
    plain,
    word,
    string,
    string_quote,  // a quote within a string: the end, or half of a doubled one
    name,          // in double quotes
    dash,          // one '-'
    line,          // -- comment
    slash,
    block,   // /* comment */, which nests
    dollar,  // the tag of a dollar quote, or a parameter
    quoted,  // in a dollar quote
  };
  // What the statement's words so far make of the next ones.
  enum class Statement : std::uint8_t {
    begins,
    other,
    create,
    declare,
    declare_with,
    into,
    prepare,
    set,
    set_session,
    unlisten,
  };
  static constexpr std::size_t kMaxWord = 40;  // longer than any that matters
  static constexpr std::size_t kMaxTag = 63;

  void plain(char c);
  void start_word(char c);
  void end_word();
  void on_word(std::string_view word);
  void set(std::string_view name);
  void pin(Pin pin) { pins_ |= bit(pin); }

  In in_ = In::plain;
  Statement statement_ = Statement::begins;
  bool escapes_ = false;  // backslashes count in this string
  bool unlistens_all_ = false;
  char before_ = 0;
  unsigned depth_ = 0;  // of block comments
  TrackedSet known_ = 0;
  PinSet pins_ = 0;
  std::uint8_t word_size_ = 0;  // kMaxWord + 1: too long
  std::uint8_t tag_size_ = 0;
  std::uint8_t matched_ = 0;  // of the tag that closes
  std::array<char, kMaxWord> word_{};
  std::array<char, kMaxTag + 2> tag_{};
};

}  // namespace ambassador::proxy::postgresql
