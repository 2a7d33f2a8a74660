// What PostgreSQL has under a name: built-in functions that a read may call, catalogs, keywords. As
// PostgreSQL 15 says it (names/names.sql, sql_names_data.hpp). Used by RouteScan for every word of a query,
// so it is one look into a table that the compiler makes. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace ambassador::proxy::postgresql {

/// Kinds of names, as names/names.sql explains them.
enum class NameKind : std::uint8_t {
  keyword_reserved,
  keyword_column_name,
  keyword_type_or_function,
  keyword_unreserved,
  function,
  attribute,
  catalog,
};
using NameKinds = std::uint8_t;
[[nodiscard]] constexpr NameKinds bit(NameKind kind) {
  return static_cast<NameKinds>(1U << static_cast<unsigned>(kind));
}
inline constexpr NameKinds kAnyKeyword =
    bit(NameKind::keyword_reserved) | bit(NameKind::keyword_column_name) |
    bit(NameKind::keyword_type_or_function) | bit(NameKind::keyword_unreserved);

/// Keywords that mean something to RouteScan.
enum class Keyword : std::uint8_t {
  none,
  as,
  begin,
  by,
  character,  // and other types that VARYING may follow
  distinct,
  expects,  // no reserved word, yet an expression may follow
  for_,
  grouping,
  into,
  join,
  joins,  // INNER and others before JOIN
  lock,   // behind FOR
  materialized,
  mode,  // of a transaction: what does not matter
  not_,
  on,
  only,
  ordering,  // before BY
  read,
  reads,  // begins a query
  recursive,
  refused,  // as in OPERATOR(schema.+) and TREAT(x AS function)
  rollup,
  sampling,  // methods of TABLESAMPLE
  sets,
  start,
  tablesample,
  uescape,
  varying,
  with,
  write,   // of a transaction
  writes,  // a statement that changes data; UPDATE is behind FOR too
};

struct Name {
  NameKinds kinds = 0;
  Keyword keyword = Keyword::none;
};

/// `name` in small letters.
[[nodiscard]] Name find_name(std::string_view name);

}  // namespace ambassador::proxy::postgresql
