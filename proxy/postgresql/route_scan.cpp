#include "proxy/postgresql/route_scan.hpp"

namespace ambassador::proxy::postgresql {

void RouteScan::begin(Strings strings) {
  *this = RouteScan();
  words_.begin(strings);
}

void RouteScan::feed(std::string_view piece) {
  if (!primary_) words_.feed(piece, *this);
}

Route RouteScan::end() {
  if (!words_.end(*this)) primary_ = true;  // the server's error is the primary's to say
  settle();
  end_statement();
  if (primary_ || statements_ == 0) return Route::primary;
  return opens_ ? Route::replica_transaction : Route::replica;
}

void RouteScan::end_statement() {
  if (depth_ != 0) primary_ = true;
  if (statement_ == Statement::begins) return;
  ++statements_;
  if (statement_ == Statement::transaction) {
    if (!read_only_ || statements_ > 1) primary_ = true;
    opens_ = true;
  }
  statement_ = Statement::begins;
  last_ = Last::other;
}

void RouteScan::word(std::string_view word) {
  any_name(word, false);
}

void RouteScan::name(std::string_view name) {
  // U&"..." spells letters by numbers.
  if (last_ == Last::ampersand) primary_ = true;
  any_name(name, true);
}

void RouteScan::any_name(std::string_view text, bool quoted) {
  if (primary_) return;
  settle();
  const bool qualified = last_ == Last::dot;
  if (qualified) {
    qualifier_ = is_pg_catalog_ && qualifier_ == Qualifier::none ? Qualifier::pg_catalog : Qualifier::other;
  } else {
    qualifier_ = Qualifier::none;
    before_ = last_;
  }
  Name name = find_name(text);
  if (quoted || qualified) {
    name.kinds &= static_cast<NameKinds>(~kAnyKeyword);
    name.keyword = Keyword::none;
  }
  is_pg_catalog_ = false;
  if (text.starts_with("pg_")) {
    is_pg_catalog_ = text == "pg_catalog";
    // Views and functions that tell of the server, and temporary schemas.
    if (!is_pg_catalog_ && (name.kinds & (bit(NameKind::function) | bit(NameKind::catalog))) == 0)
      primary_ = true;
  }
  pending_ = true;
  pending_name_ = name;
  switch (statement_) {
    case Statement::begins:
      first_word(name.keyword);
      break;
    case Statement::query:
      word_of_query(name);
      break;
    case Statement::transaction:
      word_of_transaction(name.keyword);
      break;
  }
}

void RouteScan::first_word(Keyword keyword) {
  last_ = Last::other;
  switch (keyword) {
    case Keyword::with:
      statement_ = Statement::query;
      last_ = Last::with;
      in_with_ = true;
      with_depth_ = depth_;
      break;
    case Keyword::reads:
      statement_ = Statement::query;
      in_with_ = false;
      break;
    case Keyword::begin:
    case Keyword::start:
      statement_ = Statement::transaction;
      read_only_ = false;
      break;
    default:
      primary_ = true;
      break;
  }
}

void RouteScan::word_of_transaction(Keyword keyword) {
  const Last before = last_;
  last_ = Last::other;
  switch (keyword) {
    case Keyword::mode:
    case Keyword::not_:
      break;
    case Keyword::read:
      last_ = Last::read;
      break;
    case Keyword::only:
      if (before == Last::read) read_only_ = true;
      break;
    default:
      primary_ = true;
      break;
  }
}

void RouteScan::word_of_query(Name name) {
  const Last before = last_;
  last_ = Last::other;
  if (in_with_ && depth_ <= with_depth_ && (name.kinds & bit(NameKind::keyword_reserved)) != 0 &&
      name.keyword != Keyword::as && name.keyword != Keyword::not_)
    in_with_ = false;
  switch (name.keyword) {
    case Keyword::into:
    case Keyword::writes:
    case Keyword::uescape:
      primary_ = true;
      return;
    case Keyword::lock:
      if (before == Last::for_) primary_ = true;
      break;
    case Keyword::as:
      last_ = Last::as;
      return;
    case Keyword::not_:
      if (before == Last::as) last_ = Last::as_not;
      return;
    case Keyword::with:
      last_ = Last::with;
      return;
    case Keyword::recursive:
      if (before != Last::with) break;
      last_ = Last::with;
      return;
    case Keyword::by:
      if (before == Last::ordering) last_ = Last::by;
      return;
    case Keyword::on:
      if (before == Last::distinct) last_ = Last::distinct_on;
      return;
    case Keyword::character:
      last_ = Last::character;
      return;
    case Keyword::distinct:
      last_ = Last::distinct;
      return;
    case Keyword::for_:
      last_ = Last::for_;
      return;
    case Keyword::grouping:
      last_ = Last::grouping;
      return;
    case Keyword::joins:
      last_ = Last::joins;
      return;
    case Keyword::ordering:
      last_ = Last::ordering;
      return;
    case Keyword::tablesample:
      last_ = Last::tablesample;
      return;
    case Keyword::expects:
      return;
    default:
      break;
  }
  if ((name.kinds & bit(NameKind::keyword_unreserved)) != 0) {
    last_ = Last::unreserved;
  } else if ((name.kinds & kAnyKeyword) == 0) {
    last_ = Last::name;
  }
}

// The last name, with a parenthesis behind it, is no function or one that a read may call.
bool RouteScan::may_be_called() const {
  const Keyword keyword = pending_name_.keyword;
  if (keyword == Keyword::refused) return false;
  // Names of types with modifiers, of aliases and CTEs with columns.
  if (before_ == Last::cast || before_ == Last::as) return true;
  const bool function = (pending_name_.kinds & bit(NameKind::function)) != 0;
  if (qualifier_ != Qualifier::none) return qualifier_ == Qualifier::pg_catalog && function;
  if (before_ == Last::closed || before_ == Last::name || before_ == Last::with) return true;
  if (in_with_ && depth_ == with_depth_) return true;
  if (function) return true;
  switch (keyword) {
    case Keyword::join:
      return before_ == Last::joins || before_ == Last::unreserved;
    case Keyword::by:
      return before_ == Last::ordering;
    case Keyword::sets:
      return before_ == Last::grouping;
    case Keyword::rollup:
      return before_ == Last::by;
    case Keyword::sampling:
      return before_ == Last::tablesample;
    case Keyword::varying:
      return before_ == Last::character;
    case Keyword::materialized:
      return before_ == Last::as_not;
    default:
      break;
  }
  // They can't be names of functions.
  return (pending_name_.kinds & (bit(NameKind::keyword_reserved) | bit(NameKind::keyword_column_name))) != 0;
}

void RouteScan::open() {
  if (pending_ && !may_be_called()) primary_ = true;
  pending_ = false;
  ++depth_;
  if (last_ == Last::distinct_on) {
    if (distinct_depth_ != 0) primary_ = true;
    distinct_depth_ = depth_;
  }
  last_ = Last::other;
}

void RouteScan::close() {
  last_ = Last::closed;
  if (depth_ == 0) {
    primary_ = true;
    return;
  }
  if (depth_ == distinct_depth_) {  // the first expression follows
    last_ = Last::other;
    distinct_depth_ = 0;
  }
  --depth_;
}

// No parenthesis follows the last name.
void RouteScan::settle() {
  if (!pending_) return;
  pending_ = false;
  if (qualifier_ != Qualifier::none && (pending_name_.kinds & bit(NameKind::attribute)) != 0) primary_ = true;
}

void RouteScan::literal() {
  settle();
  last_ = before_ = Last::other;
  is_pg_catalog_ = false;
  if (statement_ != Statement::query) primary_ = true;
}

void RouteScan::punctuation(char c) {
  if (c == '(' && statement_ != Statement::transaction) return open();
  settle();
  if (statement_ != Statement::query && c != ';' && !(statement_ == Statement::transaction && c == ','))
    primary_ = true;
  if (c == '.') {
    last_ = Last::dot;
    return;
  }
  before_ = Last::other;
  is_pg_catalog_ = false;
  if (c == ';') return end_statement();
  if (c == ')') return close();
  if (c == ':') {
    last_ = last_ == Last::colon ? Last::cast : Last::colon;
  } else {
    last_ = c == '&' ? Last::ampersand : Last::other;
  }
}

}  // namespace ambassador::proxy::postgresql
