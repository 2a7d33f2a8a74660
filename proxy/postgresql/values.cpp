#include "proxy/postgresql/values.hpp"

#include <algorithm>

#include "common/text/ascii.hpp"

namespace ambassador::proxy::postgresql {
namespace {

using text::lower;

void append_literal(std::string& out, std::string_view text) {
  out += "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back(c);  // doubled: backslash_quote may forbid the other spelling
    out.push_back(static_cast<unsigned char>(c) < 0x80 ? c : '?');
  }
  out.push_back('\'');
}

void append_set(std::string& sql, std::size_t i, std::string_view value) {
  sql += "pg_catalog.set_config('";
  sql += kTracked[i];
  sql += "', ";
  append_literal(sql, value);
  sql += ", false)";
}

}  // namespace

std::optional<std::size_t> find_tracked(std::string_view name) {
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if (std::equal(name.begin(), name.end(), kTracked[i].begin(), kTracked[i].end(),
                   [](char a, char b) { return lower(a) == lower(b); }))
      return i;
  }
  return std::nullopt;
}

void Values::set(std::size_t i, std::string_view value) {
  const std::uint32_t size = begins_[i + 1] - begins_[i];
  all_.replace(begins_[i], size, value);
  for (std::size_t k = i + 1; k < begins_.size(); ++k)
    begins_[k] += static_cast<std::uint32_t>(value.size()) - size;
  known_ |= tracked(i);
}

TrackedSet Values::found_different_from(const Values& other) const {
  TrackedSet different = 0;
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if (knows(i) && (!other.knows(i) || text(i) != other.text(i))) different |= tracked(i);
  }
  return different;
}

// By set_config: SET takes a list of identifiers for search_path, this takes what was reported.
std::string sql_to_set(TrackedSet which, const Values& values) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if ((which & tracked(i)) == 0) continue;
    if (sql.back() == ')') sql += ", ";
    append_set(sql, i, values.text(i));
  }
  return sql;
}

std::string sql_to_restore(TrackedSet which, const Values& values, const Values& instead_of) {
  std::string sql;
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if ((which & tracked(i)) == 0) continue;
    sql += sql.empty() ? "SELECT " : "; SELECT ";
    append_set(sql, i, values.text(i));
    sql += " WHERE pg_catalog.current_setting('";
    sql += kTracked[i];
    sql += "') OPERATOR(pg_catalog.=) ";
    append_literal(sql, instead_of.text(i));
  }
  return sql;
}

}  // namespace ambassador::proxy::postgresql
