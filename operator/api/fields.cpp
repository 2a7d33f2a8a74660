#include "operator/api/fields.hpp"

#include "common/config/duration.hpp"
#include "operator/api/shorten.hpp"

namespace ambassador::api {
namespace {

const nlohmann::json& empty_object() {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  return kEmpty;
}

std::string between(std::int64_t least, std::int64_t most) {
  return std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

std::string shown(const nlohmann::json& value) {
  constexpr std::size_t kMost = 80;
  if (value.is_structured() && value.size() > 8) return value.is_array() ? "a list" : "an object";
  const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return shortened(text, kMost);
}

Fields::Fields(const json& value, std::string path, Problems& problems)
    : value_(&value), path_(std::move(path)), problems_(problems) {
  if (!value.is_object()) {
    problems_.invalid(path_, shown(value) + " is no object: write fields below it");
    value_ = &empty_object();
  }
}

const Fields::json* Fields::get(std::string_view key) {
  known_.emplace(key);
  const auto found = value_->find(key);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

const Fields::json* Fields::object(std::string_view key) {
  const json* value = get(key);
  if (value == nullptr || value->is_object()) return value;
  problems_.invalid(path(key), shown(*value) + " is no object: write fields below it");
  return nullptr;
}

const Fields::json* Fields::array(std::string_view key, std::size_t most) {
  const json* value = get(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) {
    problems_.invalid(path(key), shown(*value) + " is no list: begin each element with '-'");
    return nullptr;
  }
  if (value->size() <= most) return value;
  problems_.invalid(path(key), std::to_string(value->size()) + " elements are too many: give at most " +
                                   std::to_string(most));
  return nullptr;
}

std::optional<std::string> Fields::string(std::string_view key, std::size_t most) {
  const json* value = get(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    problems_.invalid(path(key), shown(*value) + " is no text: put it in quotes");
    return std::nullopt;
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() <= most) return text;
  problems_.invalid(path(key),
                    shown(*value) + " is too long: give at most " + std::to_string(most) + " bytes");
  return std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const json* value = get(key);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
  if (!fits || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most) {
    problems_.invalid(path(key),
                      shown(*value) + " is out of range: give a whole number, " + between(least, most));
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::optional<std::uint16_t> Fields::port(std::string_view key, std::uint16_t least) {
  const auto value = integer(key, least, 65535);
  if (!value) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

std::optional<std::chrono::milliseconds> Fields::duration(std::string_view key,
                                                          std::chrono::milliseconds least,
                                                          std::chrono::milliseconds most) {
  const json* value = get(key);
  if (value == nullptr) return std::nullopt;
  const std::string text = value->is_string() ? value->get<std::string>() : std::string();
  const auto read = config::parse_duration(text);
  if (!read.ok()) {
    problems_.invalid(path(key),
                      shown(*value) + " is no duration: write a number and a unit, as in 5s, 500ms or 1m30s");
    return std::nullopt;
  }
  if (*read >= least && *read <= most) return *read;
  problems_.invalid(path(key), shown(*value) + " is out of range: give " + config::print_duration(least) +
                                   " to " + config::print_duration(most));
  return std::nullopt;
}

std::optional<Quantity> Fields::quantity(std::string_view key) {
  const json* value = get(key);
  if (value == nullptr) return std::nullopt;
  std::optional<Quantity> read;
  if (value->is_string()) read = Quantity::parse(value->get_ref<const std::string&>());
  if (value->is_number()) read = Quantity::parse(value->dump());
  if (!read) {
    problems_.invalid(path(key), shown(*value) + " is no quantity: write it as 50m, 0.5, 64Mi or 1Gi");
  }
  return read;
}

std::vector<std::string> Fields::strings(std::string_view key, std::size_t most) {
  std::vector<std::string> all;
  const json* list = array(key, most);
  if (list == nullptr) return all;
  for (const auto& element : *list) {
    if (element.is_string() && element.get_ref<const std::string&>().size() <= 253) {
      all.push_back(element.get<std::string>());
    } else {
      problems_.invalid(path(key), shown(element) + " is no text of at most 253 bytes");
    }
  }
  return all;
}

void Fields::not_yet(std::string_view key, const std::string& way_out) {
  if (get(key) != nullptr) problems_.not_yet(path(key), "is not in this version: " + way_out);
}

void Fields::not_yet_unless(std::string_view key, std::string_view harmless, const std::string& way_out) {
  const json* value = get(key);
  if (value == nullptr || (value->is_string() && value->get_ref<const std::string&>() == harmless)) return;
  problems_.not_yet(path(key), shown(*value) + " is not in this version: " + way_out);
}

void Fields::required(std::string_view key, const std::string& example) {
  if (get(key) == nullptr) problems_.invalid(path(key), "is missing: give " + example);
}

void Fields::finish() {
  for (const auto& [key, value] : value_->items()) {
    if (!known_.contains(key)) {
      problems_.invalid(path(shortened(key, 80)), "is no field here: remove it, or correct its spelling");
    }
  }
}

}  // namespace ambassador::api
