#include "operator/api/hash.hpp"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace ambassador::api {

std::string content_hash(std::string_view bytes) {
  // http://www.isthe.com/chongo/tech/comp/fnv/
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3U;
  }
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; hash >>= 4U) text[i] = kDigits[hash & 0xfU];
  return text;
}

std::string json_hash(const nlohmann::json& value) {
  // nlohmann::json keeps keys sorted; `replace` because an invalid byte must not throw.
  return content_hash(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace ambassador::api
