// What the messages of the server mean that a client has.
#include <algorithm>

#include "proxy/postgresql/session.hpp"
#include "proxy/postgresql/sqlstate.hpp"
#include "proxy/postgresql/start.hpp"

namespace ambassador::proxy::postgresql {
namespace {

constexpr auto kSasl = static_cast<std::uint32_t>(Authentication::sasl);

bool is_fatal(const ErrorFields& error) {
  return error.severity == "FATAL" || error.severity == "PANIC";
}

// Messages that are looked into, and so are needed whole.
bool is_read(char type, bool raw) {
  return type == 'Z' || type == 'C' || type == 'S' || type == 'E' || (raw && (type == 'K' || type == 'R'));
}

}  // namespace

// Passes on as many messages as go as they are.
Step PostgresSession::from_server(std::string_view input) {
  server_partial_ = false;
  if (again_ == Again::drains) return drain_answers(input);
  if (may_run_again_ && again_ != Again::due) {
    if (const auto step = judge(input)) return *step;
  }
  if (!owed_.empty() && owed_.front().synthetic()) return say_synthetic();
  std::size_t at = 0;
  ended_ = 0;
  while (ended_ < Step::kMostCounted) {
    const std::string_view rest = input.substr(at);
    const Header front = read_header(rest);
    if (front.found == Found::incomplete) break;
    if (front.found == Found::broken) {
      if (at > 0) break;
      return broken("the server sent a message whose length can't be");
    }
    const bool whole = rest.size() >= front.size();
    const bool read = is_read(front.type, stage_ == Stage::raw) && front.size() <= kMaxKept;
    if (read && !whole) break;
    if (is_for_us(front.type)) {
      if (at > 0) break;
      return on_ours(rest, front);
    }
    const std::string_view body = read ? rest.substr(kHeader, front.size() - kHeader) : std::string_view();
    if (front.type == 'E' && keeps_quiet_about(read_error_fields(body).value_or(ErrorFields{}))) {
      if (at > 0) break;
      last_words_ = read_error_fields(body).value_or(ErrorFields{}).message;
      return {.kind = Step::Kind::skip, .consumed = front.size()};
    }
    if (front.type == 'R' && read && BodyReader(body).int32() == kSasl) {
      if (at > 0) break;
      return strip_plus(body);
    }
    on_answer(front.type, body);
    if (!whole) {
      server_partial_ = true;
      return {.kind = Step::Kind::forward,
              .consumed = input.size(),
              .more = front.size() - rest.size(),
              .ended = ended_};
    }
    at += front.size();
    if (!owed_.empty() && owed_.front().synthetic()) break;
  }
  if (at > 0) return {.kind = Step::Kind::forward, .consumed = at, .ended = ended_};
  if (!input.empty() || !releasable()) return {};
  return give_back();
}

void PostgresSession::write_synthetic(std::string& out, const Owed& owed) {
  if (owed.kind == Owed::Kind::parse_complete) {
    write_parse_complete(out);
  } else {
    write_close_complete(out);
  }
}

Step PostgresSession::say_synthetic() {
  std::string& out = text();
  for (; !owed_.empty() && owed_.front().synthetic(); pop()) write_synthetic(out, owed_.front());
  return {.kind = Step::Kind::send, .to = Side::client, .text = out};
}

void PostgresSession::on_answer(char type, std::string_view body) {
  const auto answers = [this](Owed::Kind kind) {
    if (!owed_.empty() && owed_.front().kind == kind) pop();
  };
  switch (type) {
    case 'Z':
      return on_ready(body.empty() ? 'I' : body[0]);
    case 'C':
      if (transaction()) on_tag(body);
      return answers(Owed::Kind::execute);
    case 'I':
    case 's':
      return answers(Owed::Kind::execute);
    case '1':
      return answers(Owed::Kind::parse);
    case '2':
      return answers(Owed::Kind::bind);
    case '3':
      return answers(Owed::Kind::close);
    case 'T':
    case 'n':
      return answers(Owed::Kind::describe);
    case 'E':
      return on_error(read_error_fields(body).value_or(ErrorFields{}));
    case 'S':
      return on_parameter(body);
    case 'G':
      return on_copy_in();
    case 'W':
      pin(bit(Pin::replication));
      return on_copy_in();
    case 'K':
      if (stage_ == Stage::raw) on_key(body);
      return;
    default:
      return;
  }
}

void PostgresSession::on_parameter(std::string_view body) {
  if (!server_->report(body)) return;  // the client will see for itself what is wrong with it
  BodyReader reader(body);
  const std::string_view name = reader.string();
  if (const auto i = find_tracked(name)) values_.set(*i, reader.string());
}

void PostgresSession::pop() {
  if (owed_.front().serial != 0) answered(owed_.front());
  forget(owed_.front());
  owed_.pop();
  while (!owed_.empty() && owed_.front().kind == Owed::Kind::copy_end) owed_.pop();
}

void PostgresSession::on_ready(char status) {
  // A transaction that it was part of may be rolled back, and something behind it may have pinned again.
  if (unpins_ != 0 && status_ == 'I' && status == 'I' && !error_said_ && owed_.size() == 1)
    pins_ = static_cast<PinSet>(pins_ & ~unpins_);
  unpins_ = 0;
  status_ = status;
  copies_in_ = error_said_ = false;
  if (stage_ == Stage::raw) {
    stage_ = Stage::open;
    start_.reset();
  }
  if (owed_.empty() || !owed_.front().ends_unit()) return;
  pop();
  ++ended_;
  if (status == 'I' && transaction() && parts_->transactions != nullptr) {
    auto& count = pins_ != 0 ? parts_->transactions->pinned : parts_->transactions->unpinned;
    count.fetch_add(1, std::memory_order_relaxed);
  }
}

// Answers to extended messages up to the next Sync do not come any more.
void PostgresSession::on_error(const ErrorFields& error) {
  copies_in_ = false;
  error_said_ = true;
  fatal_said_ = is_fatal(error);
  if (fatal_said_ || owed_.empty() || owed_.front().ends_unit()) return;
  // "cached plan must not change result type": it has to be prepared anew.
  if (error.code == sqlstate::kFeatureNotSupported && owed_.front().statement != 0)
    server_->statements().remove(statement_name(owed_.front().statement));
  std::size_t until_sync = 0;
  while (until_sync < owed_.size() && owed_.at(until_sync).kind != Owed::Kind::sync) ++until_sync;
  for (std::size_t i = until_sync; i-- > 0;) passed_over(owed_.at(i), i == 0);  // the last one first
  for (; until_sync > 0; --until_sync) {
    if (owed_.front().ends_unit()) ++ended_;
    forget(owed_.front());
    owed_.pop();
  }
  skips_to_sync_ = owed_.empty();
}

// The server goes down in the middle of one unit: that is told with one error that does not end the client's
// connection, when the server is gone.
bool PostgresSession::keeps_quiet_about(const ErrorFields& error) const {
  return is_fatal(error) && error.code.starts_with("57P0") && transaction() && stage_ == Stage::open &&
         status_ == 'I' && pins_ == 0;
}

// The server reads CopyData from now on. Syncs that it found before the data's end mean nothing.
void PostgresSession::on_copy_in() {
  copies_in_ = true;
  for (std::size_t i = 1; i < owed_.size();) {
    const Owed::Kind kind = owed_.at(i).kind;
    if (kind == Owed::Kind::copy_end) {
      copies_in_ = false;
      owed_.erase(i);
      return;
    }
    if (kind != Owed::Kind::sync) return;
    owed_.erase(i);
    open_batch_ = true;
    ++ended_;
  }
}

// What ends pins, and statements.
void PostgresSession::on_tag(std::string_view tag) {
  unpins_ = 0;  // what comes after it may pin again
  if (tag.size() < 6) return;
  tag.remove_suffix(1);  // the zero
  switch (tag[0]) {
    case 'D':
      if (tag == "DISCARD ALL") {
        unpins_ = static_cast<PinSet>(~(bit(Pin::load) | bit(Pin::replication)));
        forget_statements();
      } else if (tag == "DEALLOCATE ALL") {
        unpins_ = bit(Pin::prepare) | bit(Pin::large_statement);
        forget_statements();
      } else if (tag == "DEALLOCATE") {
        give_up();
      } else if (tag == "DISCARD TEMP") {
        unpins_ = bit(Pin::temporary);
      }
      return;
    case 'U':
      if (tag == "UNLISTEN" && scan_.unlistens_all()) unpins_ = bit(Pin::listen);
      return;
    case 'C':
      if (tag == "CLOSE CURSOR ALL") unpins_ = bit(Pin::hold);
      return;
    default:
      return;
  }
}

// What the proxy put in -------------------------------------------------------------------------------------

bool PostgresSession::is_for_us(char type) {
  if (owed_.empty() || !owed_.front().ours) return false;
  switch (owed_.front().kind) {
    case Owed::Kind::query:
      return true;
    case Owed::Kind::parse:
      return type == '1';
    case Owed::Kind::sync:
      return type == 'Z';
    default:
      return type == '3';
  }
}

Step PostgresSession::on_ours(std::string_view input, const Header& front) {
  const std::size_t here = part_here(front, input);
  const Step skip{.kind = Step::Kind::skip, .consumed = here, .more = front.size() - here};
  server_partial_ = skip.more > 0;
  if (owed_.front().kind != Owed::Kind::query) {
    pop();
    return skip;
  }
  const std::string_view body = input.substr(0, here).substr(kHeader);
  if (front.type == 'S') server_->report(body);
  if (front.type == 'E' && status_ != 'E') {
    const ErrorFields error = read_error_fields(body).value_or(ErrorFields{});
    refusal_.clear();
    write_error(refusal_, {.severity = "FATAL", .code = error.code, .message = error.message});
  }
  if (front.type != 'Z') return skip;
  pop();
  if (refusal_.empty()) return values_set(front.size());
  Step step = close_with(std::exchange(refusal_, {}));
  step.consumed = front.size();
  return step;
}

// The server may spell a value in another way than the one before: the client is told.
Step PostgresSession::values_set(std::size_t consumed) {
  const Values& now = server_->tracked();
  const TrackedSet different = values_.different_from(now) & now.known();
  if (different == 0) return {.kind = Step::Kind::skip, .consumed = consumed};
  std::string& out = text();
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if ((different & tracked(i)) == 0) continue;
    values_.set(i, now.text(i));
    write_parameter_status(out, kTracked[i], now.text(i));
  }
  return {.kind = Step::Kind::send, .to = Side::client, .consumed = consumed, .text = out};
}

// Passthrough -----------------------------------------------------------------------------------------------

void PostgresSession::on_key(std::string_view body) {
  BodyReader reader(body);
  const std::uint32_t process = reader.int32();
  if (!reader.ok() || reader.rest().size() < kMinCancelKey || reader.rest().size() > kMaxCancelKey) return;
  server_->key(process, reader.rest());
  cancel_number_ = process;
  cancel_key_ = reader.rest();
}

// Binding to the channel would bind to the proxy's, which is not the server's.
Step PostgresSession::strip_plus(std::string_view body) {
  write_authentication_sasl(text(), {kScram});
  return {
      .kind = Step::Kind::send, .to = Side::client, .consumed = kHeader + body.size(), .text = parts_->text};
}

}  // namespace ambassador::proxy::postgresql
