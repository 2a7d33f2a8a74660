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
  /// After end(): parameters that it may have set back to what they were when the server's session began
  /// (RESET, SET ... TO DEFAULT, DISCARD ALL).
  [[nodiscard]] TrackedSet resets() const { return resets_; }
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
    discard,
    prepare,
    reset,
    set,
    set_session,
    set_tracked,
    unlisten,
  };

  /// In the middle of a statement no other words than these mean something: on_word knows them.
  [[nodiscard]] bool minds(char first) const {
    return statement_ != Statement::other || first == 'c' || first == 'i' || first == 'l' || first == 'p' ||
           first == 's';
  }
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
  void reset(std::string_view name);
  void pin(Pin pin) { pins_ |= bit(pin); }

  SqlWords words_;
  Statement statement_ = Statement::begins;
  bool unlistens_all_ = false;
  bool deallocates_ = false;
  TrackedSet known_ = 0;
  TrackedSet set_ = 0;  // by this statement
  TrackedSet resets_ = 0;
  bool copies_ = false;
  PinSet pins_ = 0;
};

}  // namespace ambassador::proxy::postgresql
