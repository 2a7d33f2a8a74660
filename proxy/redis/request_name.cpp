#include "proxy/redis/request_name.hpp"

#include <cstdint>
#include <vector>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/keys.hpp"
#include "proxy/redis/number.hpp"
#include "proxy/redis/request_parser.hpp"

namespace ambassador::proxy::redis {
namespace {

// Argument `at`, or its beginning if that is all there is of it.
std::string_view argument(const RequestParser& parser, std::string_view request, std::size_t at) {
  if (at < parser.seen()) return parser.arg(at);
  if (at != parser.seen() || at >= parser.count()) return {};
  const std::string_view last = parser.raw(at - 1);
  const std::string_view rest =
      request.substr(static_cast<std::size_t>(last.data() + last.size() - request.data()));
  if (rest.empty()) return {};
  const Header header = read_header(rest.data(), rest.size());
  if (header.state != Header::State::complete || header.number < 0) return {};
  return rest.substr(header.bytes, static_cast<std::size_t>(header.number));
}

// Where the command's first key is; 0: it names none, or that can't be told.
std::size_t key_position(const Command& command, const RequestParser& parser, bool whole) {
  switch (command.route) {
    case Route::one_key:
    case Route::split:
      return command.first;
    case Route::hold:
      return command.hold == Hold::watch ? 1 : 0;
    case Route::same_shard: {
      std::vector<std::uint32_t> keys;
      return whole && find_keys(command, parser, keys) && !keys.empty() ? keys.front() : 0;
    }
    default:
      return 0;
  }
}

}  // namespace

RequestName name_request(std::string_view request) {
  RequestParser parser;
  const bool whole = parser.parse(request) == RequestParser::Status::complete;
  if (parser.seen() == 0 || parser.is_inline()) return {};  // servers are sent no others
  const Command* command = find_command(parser.arg(0));
  if (command == nullptr) return {};
  if (command->hold == Hold::multi && whole)
    return {.command = "exec", .key = name_request(request.substr(parser.size())).key};
  if (command->sub_count != 0 && parser.seen() > 1) {
    if (const Command* sub = find_subcommand(*command, parser.arg(1))) command = sub;
  }
  const std::size_t key = key_position(*command, parser, whole);
  return {.command = command->name, .key = key == 0 ? std::string_view() : argument(parser, request, key)};
}

}  // namespace ambassador::proxy::redis
