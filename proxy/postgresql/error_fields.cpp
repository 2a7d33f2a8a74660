#include "proxy/postgresql/error_fields.hpp"

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/sqlstate.hpp"

namespace ambassador::proxy::postgresql {

std::optional<ErrorFields> read_error_fields(std::string_view body) {
  BodyReader reader(body);
  ErrorFields fields;
  std::string_view translated;
  for (char name = reader.byte(); name != '\0'; name = reader.byte()) {
    const std::string_view value = reader.string();
    if (name == 'V') fields.severity = value;
    if (name == 'S') translated = value;
    if (name == 'C') fields.code = value;
    if (name == 'M') fields.message = value;
  }
  if (!reader.at_end()) return std::nullopt;
  if (fields.severity.empty()) fields.severity = translated;
  return fields;
}

bool is_passing(std::string_view code) {
  return code == sqlstate::kTooManyConnections || code == sqlstate::kAdminShutdown ||
         code == sqlstate::kCrashShutdown        // another session crashed, all are ended
         || code == sqlstate::kCannotConnectNow  // starts, stops or recovers
         || code.starts_with("08");              // connection exceptions: a pooler behind us lost its server
}

}  // namespace ambassador::proxy::postgresql
