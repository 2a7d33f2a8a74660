// Looks through SQL text (sql_words.hpp) for what pins a client to its server (pins.hpp). No grammar: where
// in doubt it pins. Text may come in pieces, so that long queries need not be collected. Used by the session
// on every query, so it is fast. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/postgresql/pins.hpp"
#include "proxy/postgresql/sql_words.hpp"
#include "proxy/postgresql/values.hpp"

namespace ambassador::proxy::postgresql {

class PinScan {
 public:
  /// Another text begins. SET of a parameter in `known` pins nobody; `strings` is how the server reads them.
  void begin(TrackedSet known, Strings strings = Strings::standard);
  void feed(std::string_view piece);
  /// The text has ended.
  [[nodiscard]] PinSet end();
  /// After end(): it had UNLISTEN *.
  [[nodiscard]] bool unlistens_all() const { return unlistens_all_; }
  /// After end(): it had DEALLOCATE or DISCARD, which may take prepared statements away.
  [[nodiscard]] bool deallocates() const { return deallocates_; }

 private:
  friend class SqlWords;
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

  void word(std::string_view word);
  void name(std::string_view name);
  void literal() {}
  void unknown() {}
  void punctuation(char c) {
    if (c == ';') statement_ = Statement::begins;
    if (c == '*' && statement_ == Statement::unlisten) unlistens_all_ = true;
  }
  void on_word(std::string_view word);
  void set(std::string_view name);
  void pin(Pin pin) { pins_ |= bit(pin); }

  SqlWords words_;
  Statement statement_ = Statement::begins;
  bool unlistens_all_ = false;
  bool deallocates_ = false;
  TrackedSet known_ = 0;
  PinSet pins_ = 0;
};

}  // namespace ambassador::proxy::postgresql
