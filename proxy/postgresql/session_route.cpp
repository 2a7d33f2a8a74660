// The read/write split: where a unit of work may run, and what becomes of one that its server could not do.
// A unit is decided on when it begins outside of a transaction; what is not wholly there, or not surely a
// read, is the primary's.
#include <algorithm>

#include "proxy/postgresql/failure.hpp"
#include "proxy/postgresql/session.hpp"
#include "proxy/postgresql/sqlstate.hpp"

namespace ambassador::proxy::postgresql {
namespace {

constexpr std::string_view kStatementPart = "S";
// Besides UTF8 and SQL_ASCII; by how they begin.
constexpr std::array<std::string_view, 5> kAsciiEncodings{"LATIN", "WIN", "KOI8", "ISO_8859_", "EUC_"};

// Its text means what RouteScan reads: backslashes are nothing in '...', and every byte below 0x80 is that
// letter.
bool is_readable(const Values& values) {
  constexpr std::size_t kEncoding = 0;
  constexpr std::size_t kStrings = 4;
  static_assert(kTracked[kEncoding] == "client_encoding" &&
                kTracked[kStrings] == "standard_conforming_strings");
  constexpr TrackedSet both = tracked(kEncoding) | tracked(kStrings);
  if ((values.known() & both) != both || values.text(kStrings) != "on") return false;
  const std::string_view encoding = values.text(kEncoding);
  if (encoding == "UTF8" || encoding == "SQL_ASCII") return true;
  return std::any_of(kAsciiEncodings.begin(), kAsciiEncodings.end(),
                     [&](std::string_view family) { return encoding.starts_with(family); });
}

// What says so may be something that replicas alone say.
bool is_of_replicas(const ErrorFields& error) {
  return error.code == sqlstate::kReadOnlyTransaction ||   // it writes: what no text could show
         error.code == sqlstate::kSerializationFailure ||  // cancelled for what it replays
         error.code == sqlstate::kFeatureNotSupported;     // SERIALIZABLE, by default_transaction_isolation
}

}  // namespace

// A listener of replicas: what is surely a read finds another one when its own is lost.
bool PostgresSession::reads_only() const {
  return parts_->settings.role == Role::replica && transaction() && !passthrough_;
}

bool PostgresSession::splits() const {
  const Settings& settings = parts_->settings;
  return settings.split != config::ReadWriteSplit::disabled && settings.role == Role::primary &&
         transaction() && !passthrough_;
}

// Where a unit may run
// ----------------------------------------------------------------------------------------

Route PostgresSession::route_of(std::string_view sql) {
  RouteScan& scan = parts_->route;
  scan.begin(Strings::standard);
  scan.feed(sql);
  return scan.end();
}

Route PostgresSession::route_of_statement(std::string_view name) {
  if (name.empty()) {
    const std::string_view body = unnamed_.body();
    return unnamed_.id() == 0 || body.empty() ? Route::primary : route_of(body.substr(0, body.find('\0')));
  }
  const auto known = names_.find(name);
  if (known == names_.end() || known->second.statement == nullptr) return Route::primary;
  Statement& statement = *known->second.statement;
  if (!statement.route) {
    const std::string_view body = statement.body;
    statement.route = route_of(body.substr(0, body.find('\0')));
  }
  return *statement.route;
}

// Of the unit at the front of `input`.
PostgresSession::Routed PostgresSession::route(std::string_view input) {
  if (pins_ != 0 || !is_readable(values_)) return {};
  Routed routed;
  const Header front = read_header(input);
  if (front.type == 'Q') {
    if (front.size() > kMaxKept) return {};
    if (input.size() < front.size()) return {.incomplete = true};
    BodyReader body(input.substr(kHeader, front.body));
    const std::string_view sql = body.string();
    if (!body.at_end()) return {};
    routed = {.route = route_of(sql), .size = static_cast<std::size_t>(front.size()), .again = true};
  } else {
    routed = route_batch(input);
  }
  if (routed.route == Route::replica &&
      parts_->settings.split == config::ReadWriteSplit::read_only_transactions)
    return {};
  return routed;
}

// Extended messages up to Sync. Nobody waits for answers before that, unless there is a Flush.
PostgresSession::Routed PostgresSession::route_batch(std::string_view input) {
  Routed routed{.route = Route::replica, .again = true};
  std::optional<Route> unnamed;
  std::vector<std::string_view> named;  // in this batch, all of them reads
  bool bound = false;
  for (;;) {
    const std::string_view rest = input.substr(routed.size);
    const Header front = read_header(rest);
    if (front.found == Found::broken || routed.size + front.size() > kMaxKept) return {};
    if (front.found == Found::incomplete || rest.size() < front.size()) return {.incomplete = true};
    BodyReader body(rest.substr(kHeader, front.body));
    routed.size += static_cast<std::size_t>(front.size());
    const auto route_of_used = [&](std::string_view name) {
      if (name.empty() && unnamed) return *unnamed;
      if (std::find(named.begin(), named.end(), name) != named.end()) return Route::replica;
      return route_of_statement(name);
    };
    switch (front.type) {
      case 'S':
        return body.at_end() ? routed : Routed{};
      case 'P': {
        const std::string_view name = body.string();
        const Route parsed = route_of(body.string());
        if (!body.ok() || parsed == Route::primary) return {};
        if (name.empty()) {
          unnamed = parsed;
          break;
        }
        if (parsed != Route::replica || names_.contains(name)) return {};
        named.push_back(name);
        routed.again = false;  // the client's name would be taken when it is said again
        break;
      }
      case 'B': {
        body.string();
        const Route statement = route_of_used(body.string());
        if (!body.ok() || statement == Route::primary) return {};
        if (statement == Route::replica_transaction) {
          if (std::exchange(bound, true)) return {};
          routed.route = statement;
        }
        bound = true;
        break;
      }
      case 'D':
        if (body.bytes(1) == kStatementPart && route_of_used(body.string()) == Route::primary) return {};
        break;
      case 'E':
        break;
      case 'C':
        routed.again = false;  // it is answered here
        break;
      default:
        return {};
    }
  }
}

// Before a server is borrowed. False: more of the unit has to come.
bool PostgresSession::choose_role(std::string_view input) {
  role_ = parts_->settings.role;
  in_unit_ = may_run_again_ = false;
  runs_ = 0;
  if (!splits() && !reads_only()) return true;
  const Routed routed = route(input);
  if (routed.incomplete) return false;
  if (routed.route == Route::primary) return true;
  role_ = Role::replica;
  in_unit_ = true;
  may_run_again_ = routed.route == Route::replica && routed.again;
  if (may_run_again_) unit_.assign(input.substr(0, routed.size));
  return true;
}

// A further unit while a replica is held. What it was lent for may have left the client within a transaction,
// or pinned: then it keeps what it has there (FETCH, EXECUTE, ...), and the replica itself says that nothing
// can be written to it.
PostgresSession::Further PostgresSession::further(std::string_view input) {
  if (pins_ != 0 || copies_in_ || (owed_.empty() && status_ != 'I')) return Further::goes_on;
  const Routed routed = route(input);
  if (routed.incomplete) return Further::incomplete;
  return routed.route == Route::primary ? Further::waits : Further::goes_on;
}

// Once more, on another server ------------------------------------------------------------------------------

// Of a unit that may be run again: nothing reaches the client before it is known whether it has to be.
// Nothing: it has not.
std::optional<Step> PostgresSession::judge(std::string_view input) {
  if (!owed_.empty() && owed_.front().ours && owed_.front().kind == Owed::Kind::query) return std::nullopt;
  std::size_t at = 0;
  while (!in_unit_ && body_left_ == 0) {
    const std::string_view rest = input.substr(at);
    const Header front = read_header(rest);
    if (front.found == Found::incomplete) return Step{};
    if (front.found == Found::broken || at + front.size() > kMaxHeld) break;
    if (rest.size() < front.size()) return Step{};
    at += static_cast<std::size_t>(front.size());
    switch (front.type) {
      case '1':
      case '2':
      case '3':
      case 'n':
      case 't':
      case 'T':
      case 'N':  // a server whose others crashed says so, and ends
        continue;
      case 'E': {
        const auto error = read_error_fields(rest.substr(kHeader, front.body)).value_or(ErrorFields{});
        if (error.severity == "FATAL" || error.severity == "PANIC")
          return Step{.kind = Step::Kind::skip, .consumed = at};  // server_lost comes
        if (!splits() || role_ != Role::replica || !is_of_replicas(error)) break;
        again_ = Again::drains;
        return Step{.kind = Step::Kind::skip, .consumed = at};
      }
      default:
        break;
    }
    break;
  }
  may_run_again_ = false;
  return std::nullopt;
}

// The rest of what the replica answers.
Step PostgresSession::drain_answers(std::string_view input) {
  const Header front = read_header(input);
  if (front.found == Found::incomplete) return {};
  if (front.found == Found::broken) return broken("the server sent a message whose length can't be");
  const bool matters = (front.type == 'S' || front.type == 'Z') && front.size() <= kMaxHeld;
  if (!matters) {
    const std::size_t here = part_here(front, input);
    return {.kind = Step::Kind::skip, .consumed = here, .more = front.size() - here};
  }
  if (input.size() < front.size()) return {};
  const std::string_view body = input.substr(kHeader, front.body);
  if (front.type == 'S') on_parameter(body);
  if (front.type == 'Z') {
    if (body != "I") return broken("the server is in a transaction that nobody began");
    for (; !owed_.empty(); owed_.pop()) {
      const Owed& owed = owed_.front();
      if (owed.kind == Owed::Kind::parse && owed.statement != 0)
        server_->statements().remove(statement_name(owed.statement));
    }
    server_->unnamed(0);
    run_again();
  }
  return {.kind = Step::Kind::skip, .consumed = static_cast<std::size_t>(front.size())};
}

// Nothing of the unit is under way any more.
void PostgresSession::run_again() {
  owed_.clear();
  status_ = 'I';
  open_batch_ = skips_to_sync_ = copies_in_ = error_said_ = scanning_ = false;
  body_left_ = 0;
  may_run_again_ = ++runs_ + 1 < kMostRuns;
  role_ = parts_->settings.role;
  again_ = Again::due;
}

// As if the client sent it.
Step PostgresSession::say_again() {
  while (unit_at_ < unit_.size()) {
    const std::string_view rest = std::string_view(unit_).substr(unit_at_);
    Step step = run(rest);
    unit_at_ += step.consumed;
    if (unit_at_ == unit_.size()) again_ = Again::no;
    if (step.kind == Step::Kind::skip) continue;
    if (step.kind == Step::Kind::need_more) return broken("a unit of work could not be run again");
    if (step.kind == Step::Kind::forward) {
      step.kind = Step::Kind::send;
      step.to = Side::server;
      step.text = rest.substr(0, step.consumed);
    }
    step.consumed = 0;
    step.began = 0;  // it did before
    return step;
  }
  return {};
}

// There is no server to run it on. All of it was taken.
void PostgresSession::fail_again(std::string error) {
  failed_ = std::move(error);
  write_ready(failed_, 'I');
  ended_ = 1;
  failing_ = Failing::says;
  then_ready_ = true;
  until_sync_ = false;
  again_ = Again::no;
}

}  // namespace ambassador::proxy::postgresql
