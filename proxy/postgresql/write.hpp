// The messages that the proxy itself says, to clients and to servers; what it only passes on is never
// rebuilt. Each function appends one message to `out`. Strings end at their first zero byte: the protocol
// has no way to say one. Used by logging in, by the server and by the session. Pure.
//
// Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace ambassador::proxy::postgresql {

// What stands in the place of a version in a first packet.
inline constexpr std::uint32_t kMajor = 3;
inline constexpr std::uint32_t kNewestMinor = 2;  // PostgreSQL 18
inline constexpr std::uint32_t kCancelRequest = 80877102;
inline constexpr std::uint32_t kSslRequest = 80877103;
inline constexpr std::uint32_t kGssRequest = 80877104;

struct Parameter {
  std::string_view name;
  std::string_view value;
};

// To servers. ----------------------------------------------------------------------------------------------
void write_ssl_request(std::string& out);
void write_startup(std::string& out, std::uint32_t minor, std::span<const Parameter> parameters);
void write_cancel_request(std::string& out, std::uint32_t process, std::string_view key);
/// The answer to AuthenticationCleartextPassword (the password) and AuthenticationMD5Password (its digest).
void write_password(std::string& out, std::string_view password);
void write_sasl_initial_response(std::string& out, std::string_view mechanism, std::string_view data);
void write_sasl_response(std::string& out, std::string_view data);
void write_query(std::string& out, std::string_view sql);
void write_terminate(std::string& out);
/// `rest`: the SQL with a zero byte, then the parameter types, as a Parse has them.
void write_parse(std::string& out, std::string_view name, std::string_view rest);
void write_describe_statement(std::string& out, std::string_view name);
void write_close_statement(std::string& out, std::string_view name);
void write_sync(std::string& out);
void write_flush(std::string& out);
/// The front of a Parse; the `rest` bytes that follow it are the client's own.
void write_parse_front(std::string& out, std::string_view name, std::uint64_t rest);
/// The front of a Bind; the `rest` bytes that follow it are the client's own.
void write_bind_front(std::string& out, std::string_view portal, std::string_view statement,
                      std::uint64_t rest);

// To clients. ----------------------------------------------------------------------------------------------
struct ErrorReport {
  std::string_view severity = "ERROR";  // or FATAL: the connection is closed behind it
  std::string_view code;                // SQLSTATE
  std::string_view message;
  std::string_view hint{};  // what to do about it; may be empty
};
void write_error(std::string& out, const ErrorReport& report);
/// `status`: 'I' idle, 'T' in a transaction, 'E' in a failed one.
void write_ready(std::string& out, char status);
void write_authentication_ok(std::string& out);
void write_authentication_cleartext(std::string& out);
void write_authentication_md5(std::string& out, const std::array<char, 4>& salt);
void write_authentication_sasl(std::string& out, std::initializer_list<std::string_view> mechanisms);
void write_authentication_sasl_continue(std::string& out, std::string_view data);
void write_authentication_sasl_final(std::string& out, std::string_view data);
void write_parameter_status(std::string& out, std::string_view name, std::string_view value);
void write_backend_key(std::string& out, std::uint32_t process, std::string_view key);
/// `minor`: the one that is spoken; `unknown`: the protocol's options that were asked for and are not known.
void write_negotiate_protocol_version(std::string& out, std::uint32_t minor,
                                      std::span<const std::string_view> unknown);
void write_parse_complete(std::string& out);
void write_close_complete(std::string& out);

}  // namespace ambassador::proxy::postgresql
