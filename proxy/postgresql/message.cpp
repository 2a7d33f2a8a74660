#include "proxy/postgresql/message.hpp"

#include "proxy/postgresql/body_reader.hpp"

namespace ambassador::proxy::postgresql {

Header read_header(std::string_view input) {
  if (input.size() < kHeader) return {};
  // It counts itself. More than 2 GiB would be negative: the protocol's integers are signed.
  const std::uint32_t length = big_endian32(input.data() + 1);
  if (length < sizeof length || length > INT32_MAX) return {.found = Found::broken, .type = input[0]};
  return {
      .found = Found::whole, .type = input[0], .body = length - static_cast<std::uint32_t>(sizeof length)};
}

Message read_message(std::string_view input, std::uint32_t max_body) {
  const Header header = read_header(input);
  if (header.found != Found::whole) return {.found = header.found, .type = header.type};
  if (header.body > max_body) return {.found = Found::broken, .type = header.type};
  if (input.size() < header.size()) return {.found = Found::incomplete, .type = header.type};
  return {.found = Found::whole, .type = header.type, .body = input.substr(kHeader, header.body)};
}

}  // namespace ambassador::proxy::postgresql
