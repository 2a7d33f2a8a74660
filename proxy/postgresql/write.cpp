#include "proxy/postgresql/write.hpp"

#include <cassert>

#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/message_types.hpp"

namespace ambassador::proxy::postgresql {
namespace {

void add_int32(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

void add_string(std::string& out, std::string_view text) {
  out += text.substr(0, text.find('\0'));
  out += '\0';
}

// A message under construction; its end writes its length.
class Building {
 public:
  Building(std::string& out, char type) : Building(out) {
    out_.insert(at_, 1, type);
    ++at_;
  }
  explicit Building(std::string& out) : out_(out), at_(out.size()) { add_int32(out_, 0); }
  ~Building() {
    const std::size_t length = out_.size() - at_;
    assert(length <= INT32_MAX);
    for (std::size_t i = 0; i < 4; ++i) out_[at_ + i] = static_cast<char>(length >> (24 - 8 * i));
  }
  Building(const Building&) = delete;
  Building& operator=(const Building&) = delete;

 private:
  std::string& out_;
  std::size_t at_;  // of the length
};

void write_text(std::string& out, char type, std::string_view text) {
  const Building message(out, type);
  add_string(out, text);
}

void write_authentication(std::string& out, Authentication kind, std::string_view data) {
  const Building message(out, kAuthentication);
  add_int32(out, static_cast<std::uint32_t>(kind));
  out += data;
}

}  // namespace

void write_ssl_request(std::string& out) {
  const Building packet(out);
  add_int32(out, kSslRequest);
}

void write_startup(std::string& out, std::uint32_t minor, std::span<const Parameter> parameters) {
  const Building packet(out);
  add_int32(out, kMajor << 16 | minor);
  for (const Parameter& parameter : parameters) {
    add_string(out, parameter.name);
    add_string(out, parameter.value);
  }
  out += '\0';
}

void write_cancel_request(std::string& out, std::uint32_t process, std::string_view key) {
  assert(key.size() >= kMinCancelKey && key.size() <= kMaxCancelKey);
  const Building packet(out);
  add_int32(out, kCancelRequest);
  add_int32(out, process);
  out += key;
}

void write_password(std::string& out, std::string_view password) {
  write_text(out, kPassword, password);
}

void write_sasl_initial_response(std::string& out, std::string_view mechanism, std::string_view data) {
  const Building message(out, kPassword);
  add_string(out, mechanism);
  add_int32(out, static_cast<std::uint32_t>(data.size()));
  out += data;
}

void write_sasl_response(std::string& out, std::string_view data) {
  const Building message(out, kPassword);
  out += data;
}

void write_query(std::string& out, std::string_view sql) {
  write_text(out, kQuery, sql);
}

void write_terminate(std::string& out) {
  const Building message(out, kTerminate);
}

void write_parse(std::string& out, std::string_view name, std::string_view rest) {
  const Building message(out, kParse);
  add_string(out, name);
  out += rest;
}

void write_describe_statement(std::string& out, std::string_view name) {
  const Building message(out, kDescribe);
  out += 'S';
  add_string(out, name);
}

void write_close_statement(std::string& out, std::string_view name) {
  const Building message(out, kClose);
  out += 'S';
  add_string(out, name);
}

void write_sync(std::string& out) {
  const Building message(out, kSync);
}

void write_flush(std::string& out) {
  const Building message(out, kFlush);
}

void write_parse_front(std::string& out, std::string_view name, std::uint64_t rest) {
  out += kParse;
  add_int32(out, static_cast<std::uint32_t>(4 + name.size() + 1 + rest));
  add_string(out, name);
}

void write_bind_front(std::string& out, std::string_view portal, std::string_view statement,
                      std::uint64_t rest) {
  out += kBind;
  add_int32(out, static_cast<std::uint32_t>(4 + portal.size() + 1 + statement.size() + 1 + rest));
  add_string(out, portal);
  add_string(out, statement);
}

void write_error(std::string& out, const ErrorReport& report) {
  const Building message(out, kErrorResponse);
  const auto field = [&out](char name, std::string_view value) {
    out += name;
    add_string(out, value);
  };
  field('S', report.severity);  // this one may be translated, the next never is
  field('V', report.severity);
  field('C', report.code);
  field('M', report.message);
  if (!report.hint.empty()) field('H', report.hint);
  out += '\0';
}

void write_ready(std::string& out, char status) {
  const Building message(out, kReadyForQuery);
  out += status;
}

void write_authentication_ok(std::string& out) {
  write_authentication(out, Authentication::ok, {});
}

void write_authentication_cleartext(std::string& out) {
  write_authentication(out, Authentication::cleartext, {});
}

void write_authentication_md5(std::string& out, const std::array<char, 4>& salt) {
  write_authentication(out, Authentication::md5, {salt.data(), salt.size()});
}

void write_authentication_sasl(std::string& out, std::initializer_list<std::string_view> mechanisms) {
  std::string names;
  for (const std::string_view mechanism : mechanisms) add_string(names, mechanism);
  names += '\0';
  write_authentication(out, Authentication::sasl, names);
}

void write_authentication_sasl_continue(std::string& out, std::string_view data) {
  write_authentication(out, Authentication::sasl_continue, data);
}

void write_authentication_sasl_final(std::string& out, std::string_view data) {
  write_authentication(out, Authentication::sasl_final, data);
}

void write_parameter_status(std::string& out, std::string_view name, std::string_view value) {
  const Building message(out, kParameterStatus);
  add_string(out, name);
  add_string(out, value);
}

void write_backend_key(std::string& out, std::uint32_t process, std::string_view key) {
  assert(key.size() >= kMinCancelKey && key.size() <= kMaxCancelKey);
  const Building message(out, kBackendKeyData);
  add_int32(out, process);
  out += key;
}

void write_negotiate_protocol_version(std::string& out, std::uint32_t minor,
                                      std::span<const std::string_view> unknown) {
  const Building message(out, kNegotiateProtocolVersion);
  add_int32(out, kMajor << 16 | minor);  // the whole version: so do all servers, though the page says minor
  add_int32(out, static_cast<std::uint32_t>(unknown.size()));
  for (const std::string_view name : unknown) add_string(out, name);
}

void write_parse_complete(std::string& out) {
  const Building message(out, kParseComplete);
}

void write_close_complete(std::string& out) {
  const Building message(out, kCloseComplete);
}

}  // namespace ambassador::proxy::postgresql
