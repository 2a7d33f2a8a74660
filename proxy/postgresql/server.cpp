#include "proxy/postgresql/server.hpp"

#include <cassert>
#include <utility>

#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/write.hpp"

namespace ambassador::proxy::postgresql {
namespace {

using Kind = Step::Kind;

Step skip(std::size_t bytes) {
  return {.kind = Kind::skip, .consumed = bytes};
}

// One whose body says nothing to us, and so need not be held.
Step skip_by_length(const Header& header, std::string_view input) {
  const std::size_t there =
      header.size() < input.size() ? static_cast<std::size_t>(header.size()) : input.size();
  return {.kind = Kind::skip, .consumed = there, .more = header.size() - there};
}

}  // namespace

PostgresqlServer::PostgresqlServer(LoginPlan plan) : log_in_(plan.log_in), login_(std::move(plan)) {}

void PostgresqlServer::tls_started(const TlsPeer& peer) {
  login_.tls_started(peer);
}

Step PostgresqlServer::on_bytes(std::span<const char> span) {
  const std::string_view input(span.data(), span.size());
  switch (phase_) {
    case Phase::login:
      return logging_in(input);
    case Phase::cleaning:
      return clean();
    case Phase::at_rest:
    case Phase::cleaned:
      break;
  }
  return unasked(input);
}

Step PostgresqlServer::logging_in(std::string_view input) {
  const Step step = login_.on_bytes(input);
  if (step.kind == Kind::ready) {
    phase_ = Phase::at_rest;
    if (!login_.key().empty()) write_cancel_request(interruption_, login_.process(), login_.key());
  }
  return step;
}

bool PostgresqlServer::given_back() {
  assert(phase_ == Phase::at_rest);
  if (transaction_status_ == kIdle && !left_something_) return true;
  phase_ = Phase::cleaning;
  return false;
}

Step PostgresqlServer::clean() {
  // Nobody knows what the client of a Passthrough connection did; the relay closes it (Want::alone).
  if (!log_in_) return broken();
  text_.clear();
  awaited_ = 1;
  if (transaction_status_ != kIdle) {  // DISCARD ALL can't run in a transaction, not even in the same message
    write_query(text_, "ROLLBACK");
    ++awaited_;
  }
  write_query(text_, "DISCARD ALL");
  phase_ = Phase::cleaned;
  return {.kind = Kind::send, .to = Side::server, .text = text_};
}

Step PostgresqlServer::broken() {
  text_.clear();
  write_error(text_, {.severity = "FATAL",
                      .code = "08P01",
                      .message = "the server said what nobody asked it for; its connection was closed"});
  return {.kind = Kind::failed, .passing = true, .text = text_};
}

// What a server sends to nobody: at rest at any time, and between the answers to what cleans it.
Step PostgresqlServer::unasked(std::string_view input) {
  const Header header = read_header(input);
  if (header.found == Found::incomplete) return {};
  if (header.found == Found::broken || !log_in_) return broken();
  const bool cleaned = phase_ == Phase::cleaned;
  switch (header.type) {
    case kNoticeResponse:
    case kNotificationResponse:
      return skip_by_length(header, input);
    case kCommandComplete:
      return cleaned ? skip_by_length(header, input) : broken();
    default:
      break;
  }

  const Message message = read_message(input, kMaxHeld);
  if (message.found == Found::incomplete) return {};
  if (message.found == Found::broken) return broken();
  switch (message.type) {
    case kParameterStatus:
      return parameters().report(message.body) ? skip(message.size()) : broken();
    case kReadyForQuery:
      return on_ready(message);
    case kErrorResponse:
      // At rest, its last words (stopped, crashed, idle for too long). Otherwise it can't be cleaned. Another
      // connection may do.
      text_.assign(input.substr(0, message.size()));
      return {.kind = Kind::failed, .passing = true, .consumed = message.size(), .text = text_};
    default:
      return broken();
  }
}

Step PostgresqlServer::on_ready(const Message& message) {
  if (phase_ != Phase::cleaned || message.body.size() != 1) return broken();
  if (--awaited_ > 0) return skip(message.size());
  transaction_status_ = message.body.front();
  if (transaction_status_ != kIdle) return broken();
  statements_.clear();
  left_something_ = false;
  phase_ = Phase::at_rest;
  return {.kind = Kind::ready, .consumed = message.size()};
}

Role PostgresqlServer::role() const {
  // Reported since PostgreSQL 14, and when a standby is promoted.
  const std::string_view standby = parameters().value("in_hot_standby");
  if (standby == "on") return Role::replica;
  return standby == "off" ? Role::primary : Role::any;
}

std::string_view PostgresqlServer::farewell() const {
  static const std::string kGoodbye = [] {
    std::string text;
    write_terminate(text);
    return text;
  }();
  // Before the login, or in one that is not ours, it is nothing that the server waits for.
  return log_in_ && phase_ != Phase::login ? std::string_view(kGoodbye) : std::string_view{};
}

}  // namespace ambassador::proxy::postgresql
