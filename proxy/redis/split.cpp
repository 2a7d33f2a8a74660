#include "proxy/redis/split.hpp"

#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {

void split_request(const Command& command, const RequestParser& request,
                   std::span<const BackendIndex> server_of_key, std::uint32_t backends,
                   std::vector<Ask>& asks, Gathered& gathered) {
  struct Share {
    std::uint32_t keys = 0;
    std::size_t bytes = 0;
    std::uint16_t part = 0;
  };
  std::vector<Share> shares(backends);
  const auto position = [&](std::size_t key) { return command.first + key * command.step; };
  const auto bytes_of = [&](std::size_t key) {  // of a key and what belongs to it (MSET: its value)
    const std::string_view first = request.raw(position(key));
    const std::string_view last = request.raw(position(key) + command.step - 1);
    return std::string_view(first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data()));
  };

  for (std::size_t key = 0; key < server_of_key.size(); ++key) {
    Share& share = shares[server_of_key[key]];
    if (share.keys++ == 0) {
      share.part = static_cast<std::uint16_t>(asks.size());
      asks.emplace_back().backend = server_of_key[key];
    }
    share.bytes += bytes_of(key).size();
  }
  constexpr std::size_t kRoomForHead = 48;  // "*1048576\r\n" and the command's name
  for (Ask& ask : asks) {
    const Share& share = shares[ask.backend];
    ask.text.reserve(share.bytes + kRoomForHead);
    append_array(ask.text, 1 + std::size_t{share.keys} * command.step);
    ask.text += request.raw(0);
  }
  if (command.merge == Merge::in_key_order) gathered.part_of_key.reserve(server_of_key.size());
  for (std::size_t key = 0; key < server_of_key.size(); ++key) {
    const std::uint16_t part = shares[server_of_key[key]].part;
    asks[part].text += bytes_of(key);
    if (command.merge == Merge::in_key_order) gathered.part_of_key.push_back(part);
  }
}

}  // namespace ambassador::proxy::redis
