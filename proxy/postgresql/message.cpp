#include "proxy/postgresql/message.hpp"

namespace ambassador::proxy::postgresql {

Message read_message(std::string_view input, std::uint32_t max_body) {
  const Header header = read_header(input);
  if (header.found != Found::whole) return {.found = header.found, .type = header.type};
  if (header.body > max_body) return {.found = Found::broken, .type = header.type};
  if (input.size() < header.size()) return {.found = Found::incomplete, .type = header.type};
  return {.found = Found::whole, .type = header.type, .body = input.substr(kHeader, header.body)};
}

}  // namespace ambassador::proxy::postgresql
