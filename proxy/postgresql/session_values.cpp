// A client's own parameters on servers that others used before, and what else of theirs it must not meet
// there.
#include <algorithm>
#include <array>

#include "proxy/postgresql/session.hpp"

namespace ambassador::proxy::postgresql {
namespace {

// The middle of currval and lastval is a letter that SQL has seldom.
constexpr std::size_t kBefore = 4;
constexpr std::size_t kWord = 7;

bool is_last_value(std::string_view word) {
  std::array<char, kWord> small{};
  std::ranges::transform(word, small.begin(), [](char c) { return static_cast<char>(c | ' '); });
  const std::string_view text(small.data(), small.size());
  return text == "currval" || text == "lastval";
}

// Either of them, without regard to case. Within another word, or within quotes, it does no harm. For every
// unit of work, so it is fast.
bool has_last_value(std::string_view text) {
  for (const char v : {'v', 'V'}) {
    for (std::size_t at = text.find(v, kBefore); at != std::string_view::npos; at = text.find(v, at + 1)) {
      const std::string_view word = text.substr(at - kBefore, kWord);
      if (word.size() == kWord && is_last_value(word)) return true;
    }
  }
  return false;
}

}  // namespace

// What a server that was just lent has to do first, if anything. What the client sent goes on behind it.
std::string PostgresSession::preparation(std::string_view input) {
  std::string sql;
  if (!transaction()) return sql;
  const TrackedSet different = values_.different_from(server_->tracked()) & server_->tracked().known();
  if (different != 0) sql = sql_to_set(different, values_);
  if (!asks_for_last_value(input)) return sql;
  // What nextval gave was given to somebody else: that there is nothing is to be said.
  if (!sql.empty()) sql += "; ";
  return sql += "DISCARD SEQUENCES";
}

// The unit's first message runs, or prepares, currval or lastval.
bool PostgresSession::asks_for_last_value(std::string_view input) const {
  const Header front = read_header(input);
  if (front.found != Found::whole) return false;
  const bool text = front.type == 'Q' || front.type == 'P';
  if (!text && (front.type != 'B' || !prepared_last_value_)) return false;
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(front.size(), input.size()));
  BodyReader body(input.substr(0, here).substr(kHeader));
  if (text) return has_last_value(body.rest());
  body.string();
  const std::string_view name = body.string();
  if (name.empty()) return has_last_value(unnamed_.body());
  const auto known = names_.find(name);
  return known != names_.end() && known->second.statement != nullptr &&
         (known->second.statement->pins & bit(Pin::sequence)) != 0;
}

Step PostgresSession::ask_for_us(std::string_view sql) {
  server_->unnamed(0);  // a simple query ends it
  owe({.kind = Owed::Kind::query, .ours = true});
  refusal_.clear();
  write_query(text(), sql);
  return {.kind = Step::Kind::send, .to = Side::server, .text = parts_->text};
}

// RESET brings back what a server's session began with, which is not what the client's began with.
void PostgresSession::keep_first_values(const Values& of_server) {
  const TrackedSet different = values_.different_from(of_server);
  if (!transaction() || different == 0) return;
  first_ = std::make_unique<First>(First{.values = values_, .of_server = of_server, .different = different});
}

void PostgresSession::note_resets(TrackedSet resets) {
  if (first_ != nullptr) resets_ |= static_cast<TrackedSet>(resets & first_->different);
}

bool PostgresSession::restores() const {
  return resets_ != 0 && !open_batch_ && body_left_ == 0;
}

// Behind the client's query or Sync. If that failed there is nothing to restore.
Step PostgresSession::restore_values() {
  return ask_for_us(sql_to_restore(std::exchange(resets_, TrackedSet{0}), first_->values, first_->of_server));
}

}  // namespace ambassador::proxy::postgresql
