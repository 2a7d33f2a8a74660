#include "proxy/redis/request_name.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/keys.hpp"
#include "proxy/redis/number.hpp"

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

// The command with its subcommand; null: there is none of that name.
const Command* named_command(const RequestParser& parser) {
  const Command* command = find_command(parser.arg(0));
  if (command == nullptr || command->sub_count == 0 || parser.seen() < 2) return command;
  const Command* sub = find_subcommand(*command, parser.arg(1));
  return sub != nullptr ? sub : command;
}

// Where the command's first keys are; the last of them may be there in part, or be just missing.
std::vector<std::uint32_t> key_positions(const Command& command, const RequestParser& parser, bool whole) {
  std::vector<std::uint32_t> keys;
  const auto add_each = [&](std::uint32_t first, std::uint32_t step) {
    for (std::uint32_t i = first; i < parser.count() && i <= parser.seen() && keys.size() < kNamedMost;
         i += step)
      keys.push_back(i);
  };
  switch (command.route) {
    case Route::one_key:
      return {command.first};
    case Route::split:
      add_each(command.first, command.step);
      break;
    case Route::hold:
      if (command.hold == Hold::watch) add_each(1, 1);
      break;
    case Route::same_shard:
      if (!whole || !find_keys(command, parser, keys)) return {};
      keys.resize(std::min(keys.size(), kNamedMost));
      break;
    default:
      break;
  }
  return keys;
}

}  // namespace

RequestName name_request(std::string_view request) {
  RequestParser parser;
  const bool whole = parser.parse(request) == RequestParser::Status::complete;
  if (parser.seen() == 0 || parser.is_inline()) return {};  // servers are sent no others
  const Command* command = named_command(parser);
  if (command == nullptr) return {};
  if (command->hold == Hold::multi && whole)
    return {.command = "exec", .key = name_request(request.substr(parser.size())).key};
  const auto keys = key_positions(*command, parser, whole);
  return {.command = command->name,
          .key = keys.empty() ? std::string_view() : argument(parser, request, keys.front())};
}

void tell_keys(const RequestParser& request, bool whole, KeyWatch& watch) {
  const Command* command = named_command(request);
  if (command == nullptr) return;
  if (command->route == Route::one_key) {  // as most are: without a list
    if (command->first < request.seen()) watch.saw(request.arg(command->first));
    return;
  }
  for (const std::uint32_t position : key_positions(*command, request, whole)) {
    if (position < request.seen()) watch.saw(request.arg(position));
  }
}

}  // namespace ambassador::proxy::redis
