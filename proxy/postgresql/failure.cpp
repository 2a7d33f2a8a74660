#include "proxy/postgresql/failure.hpp"

#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/message_types.hpp"
#include "proxy/postgresql/sqlstate.hpp"

namespace ambassador::proxy::postgresql {

FailureText describe(Failure failure) {
  switch (failure) {
    case Failure::no_backend:
      return {sqlstate::kCannotConnectNow,
              "the proxy found no server that can be used now within timeouts.queue"};
    case Failure::unreachable:
      return {sqlstate::kCannotConnectNow, "the proxy could not connect to a server within timeouts.queue"};
    case Failure::lost:
      return {sqlstate::kConnectionFailure, "the proxy lost its connection to the server"};
    case Failure::timed_out:
      return {sqlstate::kCannotConnectNow, "the server did not log the proxy in within timeouts.queue"};
    case Failure::overloaded:
      return {sqlstate::kTooManyConnections,
              "no connection to a server became free within timeouts.queue: all of maxServerConnections are "
              "in use"};
    case Failure::refused:
    case Failure::declined:
      break;  // of lanes; here a refused login has the server's own words
  }
  return {sqlstate::kCannotConnectNow, "the proxy has no server"};
}

void write_failure(std::string& out, std::string_view severity, Failure failure, std::string_view error) {
  const Message said = read_message(error, kMaxHeld);
  if (said.found == Found::whole && said.type == kErrorResponse) {
    const ErrorFields fields = read_error_fields(said.body).value_or(ErrorFields{});
    if (!fields.code.empty())
      return write_error(out, {.severity = severity, .code = fields.code, .message = fields.message});
  }
  const FailureText text = describe(failure);
  write_error(out, {.severity = severity, .code = text.code, .message = text.message});
}

}  // namespace ambassador::proxy::postgresql
