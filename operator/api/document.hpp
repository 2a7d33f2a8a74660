// Safe looks into JSON documents that others wrote: what is absent, null or of another type reads as "not
// there".
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "operator/api/selector.hpp"

namespace ambassador::api {

/// A null value that stays: what a look finds that finds nothing.
const nlohmann::json& null();
/// The member, or null(). Borrowed from `object` (or static).
const nlohmann::json& member(const nlohmann::json& object, std::string_view key);
/// member(member(...)) along the keys.
template <class... Keys>
const nlohmann::json& member(const nlohmann::json& object, std::string_view key, std::string_view next,
                             Keys... rest) {
  return member(member(object, key), next, rest...);
}
/// Empty where there is no text.
std::string text_at(const nlohmann::json& object, std::string_view key);
std::optional<std::int64_t> integer_at(const nlohmann::json& object, std::string_view key);
/// 1 to 65535.
std::optional<std::uint16_t> port_at(const nlohmann::json& object, std::string_view key);
/// A map of texts (labels, annotations); entries that are no text are left out.
Labels texts_at(const nlohmann::json& object, std::string_view key);
/// The list, or an empty one.
const nlohmann::json& list_at(const nlohmann::json& object, std::string_view key);

}  // namespace ambassador::api
