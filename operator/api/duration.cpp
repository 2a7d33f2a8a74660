#include "operator/api/duration.hpp"

#include <cmath>

namespace ambassador::api {
namespace {

using std::chrono::milliseconds;

constexpr double kLongest = 10'000.0 * 3600 * 1000;  // 10,000 h: far beyond any sense, far below any overflow
constexpr std::size_t kLongestText = 32;

/// Takes "ms", "s", "m" or "h" off the front; its length in milliseconds, 0 when there is none.
double take_unit(std::string_view& text) {
  const auto starts = [&](std::string_view unit) {
    if (!text.starts_with(unit)) return false;
    text.remove_prefix(unit.size());
    return true;
  };
  if (starts("ms")) return 1;
  if (starts("s")) return 1000;
  if (starts("m")) return 60'000;
  if (starts("h")) return 3'600'000;
  return 0;
}

/// Takes "15" or "1.5" off the front.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  double place = 0;  // 0 before the point
  bool any = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '.' && place == 0) {
      place = 1;
    } else if (c >= '0' && c <= '9') {
      any = true;
      if (place == 0) {
        value = value * 10 + (c - '0');
      } else {
        place /= 10;
        value += place * (c - '0');
      }
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  if (!any) return std::nullopt;
  return value;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return milliseconds(0);
  if (text.empty() || text.size() > kLongestText) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const double unit = take_unit(text);
    if (unit == 0) return std::nullopt;
    total += *number * unit;
  }
  const double rounded = std::round(total);
  if (total > kLongest || std::abs(total - rounded) > 1e-6) return std::nullopt;
  return milliseconds(static_cast<milliseconds::rep>(rounded));
}

std::string print_duration(milliseconds duration) {
  auto rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  const auto put = [&](milliseconds::rep unit, const char* name) {
    if (rest >= unit) text += std::to_string(rest / unit) + name;
    rest %= unit;
  };
  put(3'600'000, "h");
  put(60'000, "m");
  put(1000, "s");
  put(1, "ms");
  return text;
}

}  // namespace ambassador::api
