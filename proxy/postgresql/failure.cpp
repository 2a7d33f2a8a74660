#include "proxy/postgresql/failure.hpp"

#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/message_types.hpp"

namespace ambassador::proxy::postgresql {

FailureText describe(Failure failure) {
  switch (failure) {
    case Failure::no_backend:
      return {"57P03", "the proxy found no server that can be used now within timeouts.queue"};
    case Failure::unreachable:
      return {"57P03", "the proxy could not connect to a server within timeouts.queue"};
    case Failure::lost:
      return {"08006", "the proxy lost its connection to the server"};
    case Failure::timed_out:
      return {"57P03", "the server did not log the proxy in within timeouts.queue"};
    case Failure::overloaded:
      return {"53300",
              "no connection to a server became free within timeouts.queue: all of maxServerConnections are "
              "in use"};
    case Failure::refused:
      break;  // of lanes; here a refused login has the server's own words
  }
  return {"57P03", "the proxy has no server"};
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
