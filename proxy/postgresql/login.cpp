#include "proxy/postgresql/login.hpp"

#include <openssl/crypto.h>

#include <cassert>

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/failure.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/md5_password.hpp"
#include "proxy/postgresql/message_types.hpp"
#include "proxy/postgresql/sqlstate.hpp"
#include "proxy/postgresql/write.hpp"

namespace ambassador::proxy::postgresql {
namespace {

using Kind = Step::Kind;

constexpr std::size_t kMd5Salt = 4;
// SQLSTATEs of what we say ourselves.

Step skip(const Message& message) {
  return {.kind = Kind::skip, .consumed = message.size()};
}

}  // namespace

Login::Login(LoginPlan plan) : plan_(std::move(plan)) {}

Step Login::failed(std::string_view code, std::string_view what, bool passing) {
  text_.clear();
  write_error(text_, {.severity = "FATAL", .code = code, .message = what});
  return {.kind = Kind::failed, .passing = passing, .text = text_};
}

Step Login::nonsense() {
  return failed(sqlstate::kProtocolViolation,
                "the server does not speak the PostgreSQL protocol as it should");
}

// `text_` is what answers `message`.
Step Login::send(Phase next, const Message& message) {
  phase_ = next;
  return {.kind = Kind::send, .to = Side::server, .consumed = message.size(), .text = text_};
}

Step Login::begin() {
  if (!plan_.log_in) return {.kind = Kind::ready};
  if (!plan_.credentials) return failed(kNoAccount.code, kNoAccount.message);
  std::vector<Parameter> parameters{{"user", plan_.credentials->user()}};
  for (const auto& [name, value] : plan_.parameters) parameters.push_back({name, value});
  text_.clear();
  // 3.0: servers older than 9.3 refuse others, and newer ones have nothing in 3.2 that we need.
  write_startup(text_, 0, parameters);
  phase_ = Phase::authentication;
  return {.kind = Kind::send, .to = Side::server, .text = text_};
}

void Login::tls_started(const TlsPeer& peer) {
  assert(phase_ == Phase::handshake);
  tls_ = peer;
  phase_ = Phase::encrypted;
}

Step Login::on_encryption_answer(std::string_view input) {
  if (input.empty()) return {};
  // What came in the clear must not be taken for what is said under TLS (CVE-2021-23222).
  if (input.size() > 1 && input.front() == 'S') return nonsense();
  switch (input.front()) {
    case 'S':
      phase_ = Phase::handshake;
      return {.kind = Kind::start_tls, .to = Side::server, .consumed = 1};
    case 'N':
      return failed(sqlstate::kConnectionFailure,
                    "the server does not speak TLS: set ssl = on there, or tls.mode Disabled");
    case kErrorResponse:
      // It could not even fork. The text is nobody's: neither the server nor we know yet who speaks.
      return failed(sqlstate::kConnectionFailure, "the server refused to speak before TLS began", true);
    default:
      return nonsense();
  }
}

Step Login::on_bytes(std::string_view input) {
  switch (phase_) {
    case Phase::begin:
      if (!plan_.encrypt) return begin();
      text_.clear();
      write_ssl_request(text_);
      phase_ = Phase::encryption;
      return {.kind = Kind::send, .to = Side::server, .text = text_};
    case Phase::encryption:
      return on_encryption_answer(input);
    case Phase::handshake:
      return {};
    case Phase::encrypted:
      return begin();
    default:
      break;
  }
  const Message message = read_message(input, kMaxHeld);
  if (message.found == Found::incomplete) return {};
  if (message.found == Found::broken) return nonsense();
  return on_message(message);
}

Step Login::on_message(const Message& message) {
  BodyReader body(message.body);
  switch (message.type) {
    case kErrorResponse: {
      const auto fields = read_error_fields(message.body);
      if (!fields) return nonsense();
      text_.assign(message.body.data() - kHeader, message.size());
      return {.kind = Kind::failed,
              .passing = is_passing(fields->code),
              .consumed = message.size(),
              .text = text_};
    }
    case kNoticeResponse:
      return skip(message);
    case kAuthentication:
      return on_authentication(message);
    case kNegotiateProtocolVersion:
      // We asked for the oldest version without options: there is nothing to negotiate.
      return nonsense();
    default:
      break;
  }
  if (phase_ != Phase::authenticated) return nonsense();
  switch (message.type) {
    case kParameterStatus:
      return parameters_.report(message.body) ? skip(message) : nonsense();
    case kBackendKeyData:
      process_ = body.int32();
      key_ = body.rest();
      return body.ok() && key_.size() >= kMinCancelKey && key_.size() <= kMaxCancelKey ? skip(message)
                                                                                       : nonsense();
    case kReadyForQuery:
      if (message.body != std::string_view(&kIdle, 1)) return nonsense();
      return {.kind = Kind::ready, .consumed = message.size()};
    default:
      return nonsense();
  }
}

Step Login::on_authentication(const Message& message) {
  BodyReader body(message.body);
  const auto wanted = static_cast<Authentication>(body.int32());
  if (!body.ok()) return nonsense();
  OPENSSL_cleanse(text_.data(), text_.size());  // it may have been the password
  text_.clear();
  switch (wanted) {
    case Authentication::ok:
      // A server that stops in the middle of SCRAM has not shown that it knows the password.
      if (phase_ != Phase::authentication && phase_ != Phase::answered && phase_ != Phase::scram_verified)
        return nonsense();
      phase_ = Phase::authenticated;
      return skip(message);

    case Authentication::cleartext:
      if (phase_ != Phase::authentication) return nonsense();
      if (!tls_)
        return failed(sqlstate::kInvalidAuthorization,
                      "the server asks for the password in clear text on a connection without TLS: use "
                      "scram-sha-256 in its pg_hba.conf, or TLS");
      write_password(text_, plan_.credentials->password());
      return send(Phase::answered, message);

    case Authentication::md5: {
      if (phase_ != Phase::authentication || body.rest().size() != kMd5Salt) return nonsense();
      const auto answer = md5_password(plan_.credentials->user(), plan_.credentials->password(), body.rest());
      if (!answer) return failed(sqlstate::kInvalidAuthorization, answer.error().what);
      write_password(text_, *answer);
      return send(Phase::answered, message);
    }

    case Authentication::sasl:
      return phase_ == Phase::authentication ? choose_mechanism(message, body.rest()) : nonsense();

    case Authentication::sasl_continue: {
      if (phase_ != Phase::scram_begun || !scram_) return nonsense();
      const auto answer =
          scram_->answer(body.rest(), plan_.credentials->password(), plan_.credentials->scram());
      if (!answer) return failed(sqlstate::kInvalidAuthorization, answer.error().what);
      write_sasl_response(text_, *answer);
      return send(Phase::scram_proven, message);
    }

    case Authentication::sasl_final: {
      if (phase_ != Phase::scram_proven || !scram_) return nonsense();
      const auto verified = scram_->verify(body.rest());
      if (!verified) return failed(sqlstate::kInvalidAuthorization, verified.error().what);
      phase_ = Phase::scram_verified;
      return skip(message);
    }
  }
  return failed(
      sqlstate::kInvalidAuthorization,
      "the server asks for an authentication that is not supported here (GSSAPI, SSPI, Kerberos): use "
      "scram-sha-256 in its pg_hba.conf");
}

// `mechanisms`: names, each with a zero byte behind it, and another zero byte.
Step Login::choose_mechanism(const Message& message, std::string_view mechanisms) {
  BodyReader names(mechanisms);
  bool plain = false;
  bool plus = false;
  for (std::string_view name = names.string(); !name.empty(); name = names.string()) {
    plain = plain || name == kScram;
    plus = plus || name == kScramPlus;
  }
  if (!names.at_end()) return nonsense();

  const std::string_view end_point = tls_ ? std::string_view(tls_->server_end_point) : std::string_view{};
  plus = plus && !end_point.empty();
  if (!plain && !plus)
    return failed(sqlstate::kInvalidAuthorization,
                  "the server offers no SASL mechanism that is supported here: "
                  "SCRAM-SHA-256, and SCRAM-SHA-256-PLUS under TLS");
  using Binding = ScramClient::Binding;
  const Binding binding = plus                ? Binding::end_point
                          : end_point.empty() ? Binding::none
                                              : Binding::not_offered;
  scram_.emplace(std::move(plan_.nonce), binding, plus ? end_point : std::string_view{});
  write_sasl_initial_response(text_, plus ? kScramPlus : kScram, scram_->first());
  return send(Phase::scram_begun, message);
}

}  // namespace ambassador::proxy::postgresql
