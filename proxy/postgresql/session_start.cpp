// A client's first packets, its authentication, and its greeting.
#include <algorithm>
#include <cassert>

#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/failure.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/pool_key.hpp"
#include "proxy/postgresql/session.hpp"
#include "proxy/postgresql/sqlstate.hpp"
#include "proxy/postgresql/start.hpp"

namespace ambassador::proxy::postgresql {

using namespace std::string_view_literals;

namespace {

/// A CancelRequest's length and code.
constexpr std::size_t kCancelFront = 8;

bool is_true(std::string_view value) {
  return value == "true" || value == "on" || value == "yes" || value == "1" || value == "database";
}

// PostgreSQL shows application_name with ? for what is not printable ASCII, and cut; only what it surely
// takes as it is.
bool shown_as_given(std::size_t i, std::string_view value) {
  return kTracked[i] == "application_name" && value.size() < 64 &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Values tracked_of(const Parameters::Map& reported) {
  Values values;
  for (const auto& [name, value] : reported) {
    if (const auto i = find_tracked(name)) values.set(*i, value);
  }
  return values;
}

std::string spelling_key(std::size_t i, std::string_view given) {
  return std::to_string(i) + " " + std::string(given);
}

}  // namespace

PostgresSession::PostgresSession(CoreParts& parts, const PooledCore::Client& client)
    : parts_(&parts),
      client_(client),
      pooling_(parts.settings.pooling),
      passthrough_(parts.settings.authentication == config::Authentication::passthrough),
      start_(std::make_unique<Start>()),
      role_(parts.settings.role) {
  if (passthrough_) pooling_ = config::Pooling::session;
}

PostgresSession::~PostgresSession() = default;

Step PostgresSession::start(std::string_view input) {
  switch (stage_) {
    case Stage::first_packet:
      return on_first_packet(input);
    case Stage::starts_tls:
      if (!input.empty())
        return refuse(sqlstate::kProtocolViolation, "received unencrypted data after SSL request");
      stage_ = Stage::shaking;
      return {.kind = Step::Kind::start_tls, .to = Side::client};
    case Stage::names_itself:
    case Stage::proves_itself:
      return on_password(input);
    case Stage::enters:
      return enter();
    case Stage::waits:
      return settle();
    case Stage::shaking:
    case Stage::settles:
      return {};
    case Stage::raw:
    case Stage::open:
    case Stage::over:
      break;
  }
  return close_with(std::exchange(failed_, {}));
}

void PostgresSession::tls_started(const TlsPeer& peer) {
  start_->encrypted = true;
  start_->end_point = peer.server_end_point;
  stage_ = Stage::first_packet;
}

Step PostgresSession::refuse(std::string_view code, std::string_view message) {
  std::string error;
  write_error(error, {.severity = "FATAL", .code = code, .message = message});
  return close_with(std::move(error));
}

Step PostgresSession::close_with(std::string last) {
  stage_ = Stage::over;
  parts_->text = std::move(last);
  return {.kind = Step::Kind::close, .text = parts_->text};
}

Step PostgresSession::on_first_packet(std::string_view input) {
  const FirstPacket packet = read_first_packet(input);
  switch (packet.kind) {
    case FirstPacket::Kind::incomplete:
      return {};
    case FirstPacket::Kind::broken:
      if (packet.problem.empty()) return close_with({});
      return refuse(packet.problem_code, packet.problem);
    case FirstPacket::Kind::ssl_request:
    case FirstPacket::Kind::gss_request: {
      const bool ssl = packet.kind == FirstPacket::Kind::ssl_request;
      bool& asked = ssl ? start_->asked_tls : start_->asked_gss;
      if (std::exchange(asked, true) || start_->encrypted)
        return refuse(sqlstate::kProtocolViolation, "a connection is asked to be encrypted twice");
      // Whoever asks waits for the answer: what follows was put there by somebody else (CVE-2021-23214).
      if (input.size() > packet.size)
        return refuse(sqlstate::kProtocolViolation, "received unencrypted data after SSL request");
      const bool yes = ssl && client_.can_tls;
      if (yes) stage_ = Stage::starts_tls;
      return {.kind = Step::Kind::send,
              .to = Side::client,
              .consumed = packet.size,
              .text = yes ? std::string_view("S") : std::string_view("N")};
    }
    case FirstPacket::Kind::cancel:
      stage_ = Stage::over;
      text() = input.substr(kCancelFront, 4 + packet.key.size());
      return {.kind = Step::Kind::cancel, .consumed = packet.size, .text = parts_->text};
    case FirstPacket::Kind::startup:
      break;
  }
  if (passthrough_) start_->packet = input.substr(0, packet.size);
  return on_startup(packet);
}

Step PostgresSession::on_startup(const FirstPacket& packet) {
  const std::string_view user = packet.parameter("user");
  if (user.empty())
    return refuse(sqlstate::kInvalidAuthorization, "no PostgreSQL user name specified in startup packet");
  if (is_true(packet.parameter("replication"))) pooling_ = config::Pooling::session;
  const Settings& settings = parts_->settings;
  std::string_view database = packet.parameter("database");
  if (database.empty()) database = settings.database.empty() ? user : std::string_view(settings.database);

  if (passthrough_) {
    key_ = make_key(packet, user, database, Shared::by_equals);
    stage_ = Stage::enters;
    return {.kind = Step::Kind::skip, .consumed = packet.size};
  }
  const auto& credentials = parts_->credentials();
  if (!credentials) return refuse(kNoAccount.code, kNoAccount.message);
  key_ = make_key(packet, credentials->user(), database, transaction() ? Shared::by_most : Shared::by_equals);
  for (const auto& [name, value] : packet.parameters) {
    const auto i = find_tracked(name);
    if (transaction() && i && *i < kAlwaysReported) start_->wishes.set(*i, value);
  }
  start_->minor = std::min(packet.minor, kNewestMinor);
  if (packet.needs_negotiation())
    write_negotiate_protocol_version(start_->negotiation, start_->minor, packet.extensions);

  if (!settings.client_account) {
    stage_ = Stage::enters;
    return {.kind = Step::Kind::skip, .consumed = packet.size};
  }
  const ClientLogin* const login = parts_->client_login();
  if (login == nullptr) return refuse(kNoClientAccount.code, kNoClientAccount.message);
  // Whoever is another one is not told so before it has shown what it knows.
  start_->user = user;
  start_->is_known = user == login->user;
  start_->scram.emplace(login->verifier, make_nonce(settings), start_->end_point);
  stage_ = Stage::names_itself;
  text() = std::exchange(start_->negotiation, {});
  if (start_->end_point.empty()) {
    write_authentication_sasl(parts_->text, {kScram});
  } else {
    write_authentication_sasl(parts_->text, {kScramPlus, kScram});
  }
  return {.kind = Step::Kind::send, .to = Side::client, .consumed = packet.size, .text = parts_->text};
}

Step PostgresSession::on_password(std::string_view input) {
  const Header front = read_header(input);
  if (front.found == Found::incomplete) return {};
  if (front.found == Found::broken || front.size() > kMaxAuthentication || front.type != 'p') {
    if (front.type == 'X') return close_with({});
    return refuse(sqlstate::kProtocolViolation, "expected a SASL response");
  }
  if (input.size() < front.size()) return {};
  const std::string_view body = input.substr(kHeader, front.size() - kHeader);
  auto& scram = start_->scram;
  if (!scram) return refuse(sqlstate::kProtocolViolation, "expected no SASL response");
  Result<std::string> answer = Error{};
  const bool first = stage_ == Stage::names_itself;
  if (first) {
    BodyReader fields(body);
    const std::string_view mechanism = fields.string();
    const std::string_view data = fields.bytes(fields.int32());
    if (fields.at_end()) answer = scram->answer(mechanism, data);
  } else {
    answer = scram->finish(body);
  }
  if (!answer || (!first && !start_->is_known))
    return refuse(sqlstate::kInvalidPassword,
                  "password authentication failed for user \"" + start_->user + "\"");
  stage_ = first ? Stage::proves_itself : Stage::enters;
  if (first) {
    write_authentication_sasl_continue(text(), *answer);
  } else {
    write_authentication_sasl_final(text(), *answer);
  }
  return {.kind = Step::Kind::send, .to = Side::client, .consumed = front.size(), .text = parts_->text};
}

// Authenticated: greeted at once if what a server would say is known, else by what a server says.
Step PostgresSession::enter() {
  if (transaction() && values_known()) return greet(0);
  stage_ = Stage::waits;
  return {.kind = Step::Kind::borrow};
}

// True: values_ are those that a server would report after this client's wishes.
bool PostgresSession::values_known() {
  const auto greeting = parts_->greetings.find(key_);
  if (greeting == parts_->greetings.end()) return false;
  Values values = tracked_of(greeting->second);
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if (!start_->wishes.knows(i)) continue;
    const std::string_view wish = start_->wishes.text(i);
    if (wish == values.text(i)) continue;
    if (shown_as_given(i, wish)) {
      values.set(i, wish);
      continue;
    }
    const auto spelled = parts_->spellings.find(spelling_key(i, wish));
    if (spelled == parts_->spellings.end()) return false;
    values.set(i, spelled->second);
  }
  values_ = std::move(values);
  return true;
}

// The server that it begins with is there, or there is none.
Step PostgresSession::settle() {
  if (server_ == nullptr) {
    const auto& failed = start_->failed;
    if (!failed) return {};
    std::string error;
    write_failure(error, "FATAL", *failed, start_->failure_text);
    return close_with(std::move(error));
  }
  just_lent_ = false;
  if (passthrough_) {
    stage_ = Stage::raw;
    text() = std::exchange(start_->packet, {});
    return {.kind = Step::Kind::send, .to = Side::server, .text = parts_->text};
  }
  // Other clients may have left their own values there.
  Values expected = tracked_of(server_->at_login().all());
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if (start_->wishes.knows(i)) expected.set(i, start_->wishes.text(i));
  }
  if (parts_->greetings.size() < kMaxRemembered) parts_->greetings[key_] = server_->at_login().all();
  const TrackedSet different = expected.different_from(server_->tracked());
  if (different == 0) return greet(0);
  stage_ = Stage::settles;
  server_->unnamed(0);
  write_query(text(), sql_to_set(different, expected));
  return {.kind = Step::Kind::send, .to = Side::server, .text = parts_->text};
}

// What the server answers to that.
Step PostgresSession::on_settling(std::string_view input) {
  const Header front = read_header(input);
  if (front.found == Found::incomplete) return {};
  if (front.found == Found::broken)
    return refuse(sqlstate::kProtocolViolation, "the server does not speak the protocol");
  const bool matters = front.type == 'E' || front.type == 'S' || front.type == 'Z';
  if (!matters || front.size() > kMaxKept) {
    const std::size_t here = part_here(front, input);
    return {.kind = Step::Kind::skip, .consumed = here, .more = front.size() - here};
  }
  if (input.size() < front.size()) return {};
  const std::string_view body = input.substr(kHeader, front.size() - kHeader);
  if (front.type == 'S' && !server_->report(body)) return broken("the server does not speak the protocol");
  if (front.type == 'E') {
    const ErrorFields error = read_error_fields(body).value_or(ErrorFields{});
    write_error(start_->refusal, {.severity = "FATAL", .code = error.code, .message = error.message});
  }
  if (front.type != 'Z') return {.kind = Step::Kind::skip, .consumed = front.size()};
  if (!start_->refusal.empty()) {
    Step step = close_with(std::move(start_->refusal));
    step.consumed = front.size();
    return step;
  }
  for (std::size_t i = 0; i < kTracked.size(); ++i) {
    if (start_->wishes.knows(i))
      remember(parts_->spellings, spelling_key(i, start_->wishes.text(i)),
               std::string(server_->tracked().text(i)));
  }
  return greet(front.size());
}

// Lets the client in. `consumed`: of the server's bytes, if they led here.
Step PostgresSession::greet(std::size_t consumed) {
  std::string& out = text();
  out = std::move(start_->negotiation);
  write_authentication_ok(out);
  const Parameters::Map* reports = nullptr;
  if (server_ != nullptr) {
    values_ = server_->tracked();
    reports = &server_->parameters().all();
  } else {
    reports = &parts_->greetings.find(key_)->second;
  }
  for (const auto& [name, value] : *reports) {
    const auto i = find_tracked(name);
    write_parameter_status(out, name, i ? values_.text(*i) : value);
  }
  // With a server of its own a client is known by the server's number: people look for it in
  // pg_stat_activity.
  cancel_number_ = transaction() || server_ == nullptr ? client_.number : server_->process();
  cancel_key_.assign(client_.secret.data(), start_->minor >= 2 ? client_.secret.size() : kMinCancelKey);
  write_backend_key(out, cancel_number_, cancel_key_);
  write_ready(out, 'I');
  keep_first_values(tracked_of(server_ != nullptr ? server_->at_login().all() : *reports));
  start_.reset();
  stage_ = Stage::open;
  return {.kind = Step::Kind::send, .to = Side::client, .consumed = consumed, .text = out};
}

void PostgresSession::server_lent(PooledServer& server) {
  server_ = static_cast<PostgresqlServer*>(&server);  // the core makes no others
  just_lent_ = true;
  server_partial_ = wrote_ = false;
  status_ = 'I';
  if (again_ == Again::due) {
    again_ = Again::runs;
    unit_at_ = 0;
  }
  if (!transaction()) server_->left_something();
}

void PostgresSession::borrow_failed(Failure failure, std::string_view why) {
  if (stage_ == Stage::waits) {
    start_->failed = failure;
    start_->failure_text = why;
    return;
  }
  std::string error;
  write_failure(error, "ERROR", failure, why);
  not_lent(std::move(error));
}

}  // namespace ambassador::proxy::postgresql
