#include "operator/api/hash.hpp"

#include <nlohmann/json.hpp>

#include "common/config/print.hpp"

namespace ambassador::api {

std::string content_hash(std::string_view bytes) {
  constexpr std::size_t kDigits = 16;  // 64 bits tell versions apart, and stay readable in an annotation
  return config::sha256_hex(bytes).substr(0, kDigits);
}

std::string json_hash(const nlohmann::json& value) {
  // nlohmann::json keeps keys sorted; `replace` because an invalid byte must not throw.
  return content_hash(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace ambassador::api
