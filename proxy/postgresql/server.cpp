#include "proxy/postgresql/server.hpp"

#include <cassert>
#include <utility>

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/sqlstate.hpp"
#include "proxy/postgresql/standing.hpp"
#include "proxy/postgresql/write.hpp"

namespace ambassador::proxy::postgresql {
namespace {

using Kind = Step::Kind;

constexpr std::string_view kInHotStandby = "in_hot_standby";

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
    case Phase::to_ask:
      return ask_standing();
    case Phase::at_rest:
    case Phase::cleaned:
    case Phase::asked:
      break;
  }
  return unasked(input);
}

Step PostgresqlServer::logging_in(std::string_view input) {
  const Step step = login_.on_bytes(input);
  if (step.kind == Kind::ready) {
    phase_ = Phase::at_rest;
    if (!login_.key().empty()) key(login_.process(), login_.key());
    at_login_ = parameters();
    note_role(parameters().value(kInHotStandby));
    for (std::size_t i = 0; i < kTracked.size(); ++i) {
      if (parameters().all().contains(kTracked[i])) tracked_.set(i, parameters().value(kTracked[i]));
    }
  }
  return step;
}

void PostgresqlServer::key(std::uint32_t process, std::string_view key) {
  interruption_.clear();
  write_cancel_request(interruption_, process, key);
}

bool PostgresqlServer::report(std::string_view body) {
  if (!login_.parameters().report(body)) return false;
  BodyReader reader(body);
  const std::string_view name = reader.string();
  if (name == kInHotStandby) note_role(reader.string());
  if (const auto i = find_tracked(name)) tracked_.set(*i, reader.string());
  return true;
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
                      .code = sqlstate::kProtocolViolation,
                      .message = "the server said what nobody asked it for; its connection was closed"});
  return {.kind = Kind::failed, .passing = true, .text = text_};
}

// What a server sends to nobody: at rest at any time, and between the answers to what cleans it.
Step PostgresqlServer::unasked(std::string_view input) {
  const Header header = read_header(input);
  if (header.found == Found::incomplete) return {};
  if (header.found == Found::broken || !log_in_) return broken();
  const bool answers = phase_ == Phase::cleaned || phase_ == Phase::asked;
  switch (header.type) {
    case kNoticeResponse:
    case kNotificationResponse:
      return skip_by_length(header, input);
    case kCommandComplete:
      return answers ? skip_by_length(header, input) : broken();
    case kRowDescription:
      return phase_ == Phase::asked ? skip_by_length(header, input) : broken();
    default:
      break;
  }

  const Message message = read_message(input, kMaxHeld);
  if (message.found == Found::incomplete) return {};
  if (message.found == Found::broken) return broken();
  switch (message.type) {
    case kParameterStatus:
      return report(message.body) ? skip(message.size()) : broken();
    case kReadyForQuery:
      return on_ready(message);
    case kDataRow: {
      const auto standing = phase_ == Phase::asked ? read_standing(message.body) : std::nullopt;
      if (!standing) return broken();
      standing_ = *standing;
      return skip(message.size());
    }
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
  if ((phase_ != Phase::cleaned && phase_ != Phase::asked) || message.body.size() != 1) return broken();
  if (--awaited_ > 0) return skip(message.size());
  transaction_status_ = message.body.front();
  if (transaction_status_ != kIdle) return broken();
  if (phase_ == Phase::cleaned) statements_.clear();
  unnamed_ = 0;  // a simple query takes it away
  left_something_ = false;
  phase_ = Phase::at_rest;
  return {.kind = Kind::ready, .consumed = message.size()};
}

// Reported since PostgreSQL 14, and when a standby is promoted. What else is known was said in the other
// role.
void PostgresqlServer::note_role(std::string_view in_hot_standby) {
  if (in_hot_standby.empty()) return;
  const Role role = in_hot_standby == "on" ? Role::replica : Role::primary;
  if (standing_.role != role) standing_ = {.role = role};
}

void PostgresqlServer::ask() {
  assert(phase_ == Phase::at_rest && log_in_);
  phase_ = Phase::to_ask;
}

Step PostgresqlServer::ask_standing() {
  text_.clear();
  write_query(text_, kStandingQuery);
  awaited_ = 1;
  phase_ = Phase::asked;
  return {.kind = Kind::send, .to = Side::server, .text = text_};
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
