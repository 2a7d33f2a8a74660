// What a client is told when its server is gone or was not to be had, and how it leaves one.
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "proxy/postgresql/failure.hpp"
#include "proxy/postgresql/session.hpp"
#include "proxy/postgresql/sqlstate.hpp"
#include "proxy/postgresql/start.hpp"

namespace ambassador::proxy::postgresql {

Step PostgresSession::broken(std::string_view message) {
  return refuse(sqlstate::kProtocolViolation, message);
}

// A unit of work without a server ---------------------------------------------------------------------------

Step PostgresSession::fail(std::string_view input) {
  switch (failing_) {
    case Failing::says: {
      failing_ = then_ready_ ? Failing::no : Failing::drops;
      text() = std::exchange(failed_, {});
      return {.kind = Step::Kind::send,
              .to = Side::client,
              .ended = std::exchange(ended_, std::uint8_t{0}),
              .text = parts_->text};
    }
    case Failing::drops:
      return drop(input);
    case Failing::ready:
      failing_ = Failing::no;
      until_sync_ = false;
      write_ready(text(), 'I');
      return {.kind = Step::Kind::send, .to = Side::client, .began = 1, .ended = 1, .text = parts_->text};
    case Failing::no:
      break;
  }
  return {};
}

// One message; it may be the unit's last.
Step PostgresSession::drop(std::string_view input) {
  if (body_left_ > 0) {
    const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
    const std::uint64_t more = std::exchange(body_left_, 0) - here;
    return {.kind = Step::Kind::skip, .consumed = here, .more = more};
  }
  const Header front = read_header(input);
  if (front.found == Found::incomplete) return {};
  if (front.found == Found::broken) return broken("invalid message length");
  if (front.type == 'X') return close_with({});
  if (std::strchr("PBDEC", front.type) != nullptr && front.type != '\0') until_sync_ = true;
  if (front.type == 'S' || (!until_sync_ && (front.type == 'Q' || front.type == 'F')))
    failing_ = Failing::ready;
  const std::size_t here = part_here(front, input);
  return {.kind = Step::Kind::skip, .consumed = here, .more = front.size() - here};
}

void PostgresSession::server_lost() {
  server_ = nullptr;
  just_lent_ = false;
  if (stage_ == Stage::settles || stage_ == Stage::waits || stage_ == Stage::enters) {
    start_->failed = Failure::lost;
    stage_ = Stage::waits;
    return;
  }
  if (stage_ == Stage::over) return;
  const bool taken = again_ == Again::runs || (!in_unit_ && body_left_ == 0);
  if (again_ == Again::drains || (may_run_again_ && taken)) return run_again();
  may_run_again_ = in_unit_ = false;
  if (again_ == Again::runs) {
    owed_.clear();
    open_batch_ = skips_to_sync_ = false;
    body_left_ = 0;
    scanning_ = false;
    std::string error;
    write_failure(error, "ERROR", Failure::lost, {});
    return fail_again(std::move(error));
  }
  say_lost();
}

// Exactly one error for what is in flight. Who had something on the server that is not to be had elsewhere
// has to begin anew.
void PostgresSession::say_lost() {
  const bool mid_message = server_partial_ || fatal_said_;
  const bool over = !transaction() || status_ != 'I' || pins_ != 0 || stage_ == Stage::raw || mid_message;
  const bool was_skipping = skips_to_sync_;
  const bool was_open = open_batch_;
  std::string error;
  if (!mid_message) {
    std::string message(describe(Failure::lost).message);
    if (!last_words_.empty()) message += ": " + last_words_;
    write_error(
        error,
        {.severity = over ? "FATAL" : "ERROR", .code = describe(Failure::lost).code, .message = message});
  }
  scanning_ = copies_in_ = open_batch_ = skips_to_sync_ = false;
  server_partial_ = false;
  resets_ = 0;
  last_words_.clear();
  failed_.clear();
  ended_ = 0;
  if (over) {
    failing_ = Failing::no;
    failed_ = std::move(error);
    stage_ = Stage::over;  // start() closes with failed_
    owed_.clear();
    return;
  }
  for (; !owed_.empty(); owed_.pop()) {
    const Owed& owed = owed_.front();
    if (!owed.ends_unit() || owed.ours) continue;
    if (!std::exchange(error_said_, false)) failed_ += error;
    write_ready(failed_, 'I');
    if (ended_ < 255) ++ended_;
  }
  error_said_ = false;
  closed_.clear();
  // A batch that the client has not ended is passed over up to its Sync.
  if (was_open || was_skipping) {
    if (!was_skipping) failed_ += error;
    until_sync_ = true;
    then_ready_ = false;
    failing_ = failed_.empty() ? Failing::drops : Failing::says;
    return;
  }
  then_ready_ = true;
  if (!failed_.empty()) failing_ = Failing::says;
}

// Leaving ---------------------------------------------------------------------------------------------------

bool PostgresSession::in_flight() const {
  return !owed_.empty() || open_batch_ || skips_to_sync_ || copies_in_ || body_left_ > 0 || passed_head_ ||
         server_partial_ || resets_ != 0;
}

bool PostgresSession::releasable() const {
  return server_ != nullptr && transaction() && pins_ == 0 && status_ == 'I' && !in_flight() && !just_lent_ &&
         stage_ == Stage::open && failing_ == Failing::no && again_ != Again::runs;
}

Step PostgresSession::give_back() {
  leave_server();
  const bool wrote = std::exchange(wrote_, false) && causal();
  return {.kind = Step::Kind::give_back, .wrote = wrote, .again = again_ == Again::due};
}

void PostgresSession::leave_server() {
  server_->transaction_status(status_);
  if (!transaction() || pins_ != 0 || status_ != 'I') server_->left_something();
  server_ = nullptr;
  owed_.shrink();
  if (again_ == Again::no && unit_.capacity() > kUnitKept) unit_ = {};
}

bool PostgresSession::client_left() {
  if (server_ == nullptr) return true;
  const bool at_peace = !in_flight() && again_ != Again::runs &&
                        (stage_ == Stage::open || stage_ == Stage::over || stage_ == Stage::waits);
  if (at_peace) leave_server();
  server_ = nullptr;
  return at_peace;
}

// The unit of work that it was wanted for is over.
void PostgresSession::not_lent(std::string error) {
  if (again_ == Again::due) return fail_again(std::move(error));
  failed_ = std::move(error);
  failing_ = Failing::says;
  ended_ = 0;
  until_sync_ = false;
  then_ready_ = false;
}

void PostgresSession::borrow_cancelled() {
  std::string error;
  write_error(error, {.severity = "ERROR",
                      .code = sqlstate::kQueryCanceled,
                      .message = "canceling statement due to user request"});
  not_lent(std::move(error));
}

bool PostgresSession::may_cancel(std::string_view wish) const {
  // Without a request in flight it would hit the next one.
  if ((server_ != nullptr && owed_.empty()) || wish.size() < 4 + kMinCancelKey || cancel_key_.empty())
    return false;
  return big_endian32(wish.data()) == cancel_number_ && wish.size() == 4 + cancel_key_.size() &&
         CRYPTO_memcmp(wish.data() + 4, cancel_key_.data(), cancel_key_.size()) == 0;
}

bool PostgresSession::at_rest() const {
  return stage_ == Stage::open && !in_flight() && status_ == 'I' && failing_ == Failing::no && !just_lent_ &&
         again_ == Again::no;
}

std::string_view PostgresSession::farewell() const {
  static const std::string text = [] {
    std::string out;
    write_error(out, {.severity = "FATAL",
                      .code = sqlstate::kAdminShutdown,
                      .message = "terminating connection: the proxy is shutting down"});
    return out;
  }();
  return text;
}

}  // namespace ambassador::proxy::postgresql
