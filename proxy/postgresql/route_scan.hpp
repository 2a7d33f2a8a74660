// Looks through SQL text (sql_words.hpp) for whether a replica may run it: the read/write split. No grammar:
// where in doubt it is the primary's. Text may come in pieces. Used by the session on every query of a
// listener that splits, so it is fast. Pure.
//
// A read is SELECT, VALUES, TABLE or WITH ... SELECT without INTO, without locking rows (FOR UPDATE and its
// like), without INSERT, UPDATE, DELETE or MERGE in it, that calls no function but those of sql_names.hpp
// ("function"). What tells of the session or the server (SHOW, EXPLAIN, pg_stat_*, pg_is_in_recovery) is not
// a read: clients ask that of the server which they write to.
//
// What no text can show, and the split's users must know:
//  - a function of the user that has a built-in one's name, found first by search_path or by its arguments
//  - functions behind operators, casts, types, domains, views, row security policies and, in the functional
//    notation, behind "x.name": they are the user's where these are
//  - a sequence of random() after setseed(), which is the server's session's
//  - a session whose default_transaction_isolation is serializable, which a replica refuses
// The caller must keep on the primary: a client with temporary tables (a pin, pins.hpp), and one whose
// client_encoding is not a superset of ASCII (sql_words.hpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/postgresql/sql_names.hpp"
#include "proxy/postgresql/sql_words.hpp"

namespace ambassador::proxy::postgresql {

enum class Route : std::uint8_t {
  primary,
  replica,              // every statement of the text is a read
  replica_transaction,  // BEGIN or START TRANSACTION with READ ONLY, alone or with reads behind it
};

class RouteScan {
 public:
  /// Another text begins; `strings` is how the server reads them.
  void begin(Strings strings);
  void feed(std::string_view piece);
  /// The text has ended. Outside of a transaction it may run there.
  [[nodiscard]] Route end();

 private:
  friend class SqlWords;

  enum class Statement : std::uint8_t { begins, query, transaction };
  // What the last word or byte was, as far as it matters to what follows.
  enum class Last : std::uint8_t {
    other,  // an expression may follow
    ampersand,
    as,
    as_not,
    by,
    cast,  // ::
    character,
    closed,  // ')': no expression can follow
    colon,
    distinct,
    distinct_on,
    dot,
    for_,
    grouping,
    joins,
    name,  // of no keyword: no expression can follow
    ordering,
    read,
    tablesample,
    unreserved,  // a keyword, or a name
    with,
  };
  enum class Qualifier : std::uint8_t { none, pg_catalog, other };

  void word(std::string_view word);
  void name(std::string_view name);
  void literal();
  void punctuation(char c);
  void unknown() { primary_ = true; }

  void any_name(std::string_view text, bool quoted);
  void first_word(Keyword keyword);
  void word_of_query(Name name);
  void word_of_transaction(Keyword keyword);
  [[nodiscard]] bool may_be_called() const;
  void open();
  void close();
  void settle();
  void end_statement();

  SqlWords words_;
  bool primary_ = false;
  Statement statement_ = Statement::begins;
  unsigned statements_ = 0;
  bool read_only_ = false;       // the transaction
  bool opens_ = false;           // the text opens one
  unsigned depth_ = 0;           // of parentheses
  unsigned distinct_depth_ = 0;  // of those behind DISTINCT ON, or 0
  bool in_with_ = false;         // the list of the first word WITH
  unsigned with_depth_ = 0;
  Last last_ = Last::other;

  // The last word or name, until it is known what follows it.
  bool pending_ = false;
  Name pending_name_;
  Last before_ = Last::other;  // what stood before it, or before its qualifiers
  Qualifier qualifier_ = Qualifier::none;
  bool is_pg_catalog_ = false;
};

}  // namespace ambassador::proxy::postgresql
