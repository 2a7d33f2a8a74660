#include "proxy/postgresql/pin_scan.hpp"

#include <algorithm>
#include <array>

#include "common/text/ascii.hpp"

namespace ambassador::proxy::postgresql {
namespace {

// SET TIME ZONE and SET NAMES are other words for parameters.
std::string_view meant(std::string_view name) {
  if (name == "time") return "TimeZone";
  if (name == "names") return "client_encoding";
  return name;
}

}  // namespace

void PinScan::begin(TrackedSet known, Strings strings) {
  words_.begin(strings);
  statement_ = Statement::begins;
  unlistens_all_ = deallocates_ = false;
  known_ = known;
  resets_ = 0;
  copies_ = false;
  pins_ = 0;
}

void PinScan::feed(std::string_view piece) {
  words_.feed(piece, *this);
}

PinSet PinScan::end() {
  (void)words_.end(*this);
  if (copies_) resets_ = 0;  // nothing can be asked of a server that waits for data
  return pins_;
}

void PinScan::word(std::string_view word) {
  // No word that matters is shorter; what is too long to be told is empty.
  if (word.size() < 2) {
    if (statement_ == Statement::begins) statement_ = Statement::other;
    if (statement_ == Statement::set) set("");
    if (statement_ == Statement::prepare) on_word("?");
    return;
  }
  on_word(word);
}

// Parameters are found without regard to case, in quotes too.
void PinScan::name(std::string_view name) {
  std::array<char, SqlWords::kMaxWord> small{};
  std::transform(name.begin(), name.end(), small.begin(), text::lower);
  word({small.data(), name.size()});
}

void PinScan::set(std::string_view name) {
  statement_ = Statement::other;
  // The transaction's own ends with it.
  if (name == "local" || name == "transaction" || name == "constraints") return;
  const auto i = find_tracked(meant(name));
  if (!i || (known_ & tracked(*i)) == 0) return pin(Pin::set);
  set_ = tracked(*i);
  statement_ = Statement::set_tracked;
}

void PinScan::reset(std::string_view name) {
  statement_ = Statement::other;
  if (name == "all") resets_ |= known_;
  if (const auto i = find_tracked(meant(name))) resets_ |= static_cast<TrackedSet>(known_ & tracked(*i));
}

void PinScan::on_word(std::string_view word) {
  switch (statement_) {
    case Statement::begins:
      statement_ = Statement::other;
      if (word == "listen") pin(Pin::listen);
      if (word == "load") pin(Pin::load);
      if (word == "deallocate" || word == "discard") deallocates_ = true;
      if (word == "set") statement_ = Statement::set;
      if (word == "prepare") statement_ = Statement::prepare;
      if (word == "create") statement_ = Statement::create;
      if (word == "declare") statement_ = Statement::declare;
      if (word == "unlisten") statement_ = Statement::unlisten;
      if (word == "reset") statement_ = Statement::reset;
      if (word == "discard") statement_ = Statement::discard;
      if (word == "copy") copies_ = true;
      return;
    case Statement::set:
      if (word == "session") {
        statement_ = Statement::set_session;
        return;
      }
      return set(word);
    case Statement::set_tracked:
      if (word == "default" || word == "local") resets_ |= set_;
      return;
    case Statement::reset:
      return reset(word);
    case Statement::discard:
      statement_ = Statement::other;
      if (word == "all") resets_ |= known_;
      return;
    case Statement::set_session:
      // SESSION CHARACTERISTICS and AUTHORIZATION are no parameters and not tracked either.
      return set(word);
    case Statement::prepare:
      if (word != "transaction") pin(Pin::prepare);
      break;
    case Statement::create:
      if (word == "temp" || word == "temporary") pin(Pin::temporary);
      if (word == "or" || word == "replace" || word == "global" || word == "local" || word == "recursive")
        return;
      break;
    case Statement::into:
      if (word == "temp" || word == "temporary") pin(Pin::temporary);
      break;
    case Statement::declare:
      if (word == "with") statement_ = Statement::declare_with;
      return;
    case Statement::declare_with:
      if (word == "hold") pin(Pin::hold);
      statement_ = Statement::declare;
      return;
    case Statement::unlisten:
    case Statement::other:
      break;
  }
  statement_ = Statement::other;
  switch (word[0]) {
    case 'c':
      if (word == "currval") pin(Pin::sequence);
      break;
    case 'l':
      if (word == "lastval") pin(Pin::sequence);
      break;
    case 'i':
      if (word == "into") statement_ = Statement::into;
      break;
    case 's':
      if (word == "set_config") pin(Pin::set_config);
      break;
    case 'p':
      if (word.starts_with("pg_temp")) pin(Pin::temporary);
      if (word.starts_with("pg_advisory_lock") || word.starts_with("pg_try_advisory_lock"))
        pin(Pin::advisory_lock);
      break;
    default:
      break;
  }
}

}  // namespace ambassador::proxy::postgresql
