#include "proxy/redis/split.hpp"

#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {

void split_request(const Command& command, const RequestParser& request, std::span<const Home> home_of_key,
                   std::size_t homes, std::vector<Ask>& asks, Gathered& gathered) {
  struct Share {
    std::size_t keys = 0;
    std::size_t bytes = 0;
  };
  constexpr std::uint16_t kNone = 0xffff;  // there are fewer homes
  std::vector<std::uint16_t> part_of_home(homes, kNone);
  std::vector<Share> shares;  // by part
  const auto position = [&](std::size_t key) { return command.first + key * command.step; };
  const auto bytes_of = [&](std::size_t key) {  // of a key and what belongs to it (MSET: its value)
    const std::string_view first = request.raw(position(key));
    const std::string_view last = request.raw(position(key) + command.step - 1);
    return std::string_view(first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data()));
  };
  const auto part_of = [&](std::size_t key) -> std::uint16_t& {
    return part_of_home[static_cast<std::size_t>(home_of_key[key])];
  };

  for (std::size_t key = 0; key < home_of_key.size(); ++key) {
    std::uint16_t& part = part_of(key);
    if (part == kNone) {
      part = static_cast<std::uint16_t>(asks.size());
      asks.emplace_back().home = home_of_key[key];
      shares.emplace_back();
    }
    ++shares[part].keys;
    shares[part].bytes += bytes_of(key).size();
  }
  constexpr std::size_t kRoomForHead = 48;  // "*1048576\r\n" and the command's name
  for (std::size_t part = 0; part < asks.size(); ++part) {
    std::string& text = asks[part].text;
    text.reserve(shares[part].bytes + kRoomForHead);
    append_array(text, 1 + shares[part].keys * command.step);
    text += request.raw(0);
  }
  if (command.merge == Merge::in_key_order) gathered.part_of_key.reserve(home_of_key.size());
  for (std::size_t key = 0; key < home_of_key.size(); ++key) {
    const std::uint16_t part = part_of(key);
    asks[part].text += bytes_of(key);
    if (command.merge == Merge::in_key_order) gathered.part_of_key.push_back(part);
  }
}

}  // namespace ambassador::proxy::redis
