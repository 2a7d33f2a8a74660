#include "operator/api/document.hpp"

#include <nlohmann/json.hpp>

namespace ambassador::api {

using nlohmann::json;

const json& null() {
  static const json kNull;
  return kNull;
}

const json& member(const json& object, std::string_view key) {
  if (!object.is_object()) return null();
  const auto found = object.find(key);
  return found == object.end() ? null() : *found;
}

std::string text_at(const json& object, std::string_view key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::int64_t> integer_at(const json& object, std::string_view key) {
  const json& value = member(object, key);
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX})
    return std::nullopt;
  return value.get<std::int64_t>();
}

std::optional<std::uint16_t> port_at(const json& object, std::string_view key) {
  const auto value = integer_at(object, key);
  if (!value || *value < 1 || *value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

Labels texts_at(const json& object, std::string_view key) {
  Labels all;
  const json& map = member(object, key);
  if (!map.is_object()) return all;
  for (const auto& [name, value] : map.items()) {
    if (value.is_string()) all.emplace(name, value.get<std::string>());
  }
  return all;
}

const json& list_at(const json& object, std::string_view key) {
  static const json kEmpty = json::array();
  const json& value = member(object, key);
  return value.is_array() ? value : kEmpty;
}

}  // namespace ambassador::api
