#include "common/config/duration.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace ambassador::config {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kUnits{
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kMostMilliseconds = std::chrono::milliseconds(kMaxDuration).count();
constexpr std::size_t kMostDigits = 12;  // times an hour's milliseconds still fits 63 bits

Error wrong(std::string_view text, const char* why) {
  std::string shown(text.substr(0, 40));
  return Error{"", "'" + shown + "' " + why + "; give a duration such as 500ms, 5s or 1m30s"};
}

std::string_view take_digits(std::string_view& text) {
  const auto end = text.find_first_not_of("0123456789");
  const auto digits = text.substr(0, end);
  text.remove_prefix(digits.size());
  return digits;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::string_view whole = text;
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return wrong(whole, "is not a duration");
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto digits = take_digits(text);
    std::string_view decimals;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      decimals = take_digits(text);
    }
    if ((digits.empty() && decimals.empty()) || text.empty()) return wrong(whole, "is not a duration");
    if (digits.size() > kMostDigits || decimals.size() > kMostDigits) return wrong(whole, "is too long");
    const auto unit = text.substr(0, text.find_first_of("0123456789."));
    std::int64_t scale = 0;
    for (const auto& [name, milliseconds] : kUnits) {
      if (name == unit) scale = milliseconds;
    }
    if (scale == 0) return wrong(whole, "has a unit other than h, m, s and ms");
    text.remove_prefix(unit.size());
    std::int64_t value = 0;
    for (const char c : digits) value = value * 10 + (c - '0');
    total += value * scale;
    std::int64_t fraction = 0;
    std::int64_t divisor = 1;
    for (const char c : decimals) {
      fraction = fraction * 10 + (c - '0');
      divisor *= 10;
    }
    if (fraction * scale % divisor != 0) return wrong(whole, "is finer than a millisecond");
    total += fraction * scale / divisor;
    if (total > kMostMilliseconds) return wrong(whole, "is longer than 10000h");
  }
  return std::chrono::milliseconds(total);
}

std::string print_duration(std::chrono::milliseconds duration) {
  std::int64_t rest = duration.count();
  if (rest <= 0) return "0s";
  std::string text;
  for (const auto& [unit, milliseconds] : kUnits) {
    if (rest < milliseconds) continue;
    text += std::to_string(rest / milliseconds);
    text += unit;
    rest %= milliseconds;
  }
  return text;
}

}  // namespace ambassador::config
