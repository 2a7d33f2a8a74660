#include "operator/api/quantity.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace ambassador::api {
namespace {

constexpr long double kLargest =
    9007199254740992.0L * 1000.0L;       // 2^53 units in thousandths: fits in an int64
constexpr std::size_t kMostDigits = 18;  // always fit in a uint64

/// What one unit of this suffix is in thousandths; 0 for no suffix that exists.
long double thousandths(std::string_view suffix) {
  static constexpr std::array<std::pair<std::string_view, long double>, 14> kSuffixes = {
      {{"", 1e3L},
       {"m", 1.0L},
       {"k", 1e6L},
       {"M", 1e9L},
       {"G", 1e12L},
       {"T", 1e15L},
       {"P", 1e18L},
       {"E", 1e21L},
       {"Ki", 1024e3L},
       {"Mi", 1048576e3L},
       {"Gi", 1073741824e3L},
       {"Ti", 1099511627776e3L},
       {"Pi", 1125899906842624e3L},
       {"Ei", 1152921504606846976e3L}}};
  for (const auto& [name, size] : kSuffixes) {
    if (name == suffix) return size;
  }
  return 0;
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// "e3", "E-2": the power of ten, in thousandths; 0 when it is something else.
long double exponent(std::string_view suffix) {
  if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return 0;
  suffix.remove_prefix(1);
  if (suffix[0] == '+') suffix.remove_prefix(1);
  int power = 0;
  const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), power);
  if (error != std::errc{} || end != suffix.data() + suffix.size() || power < -18 || power > 18) return 0;
  return 1e3L * std::pow(10.0L, static_cast<long double>(power));
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
  std::string_view rest = text;
  if (!rest.empty() && rest[0] == '+') rest.remove_prefix(1);
  std::uint64_t mantissa = 0;
  long double divisor = 1;
  std::size_t digits = 0;
  bool point = false;
  std::size_t at = 0;
  for (; at < rest.size() && (digit(rest[at]) || (rest[at] == '.' && !point)); ++at) {
    if (rest[at] == '.') {
      point = true;
      continue;
    }
    if (++digits > kMostDigits) return std::nullopt;
    mantissa = mantissa * 10 + static_cast<std::uint64_t>(rest[at] - '0');
    if (point) divisor *= 10;
  }
  if (digits == 0) return std::nullopt;
  const std::string_view suffix = rest.substr(at);
  long double unit = thousandths(suffix);
  if (unit == 0) unit = exponent(suffix);
  if (unit == 0) return std::nullopt;
  const long double size = std::ceil(static_cast<long double>(mantissa) * unit / divisor);
  if (size > kLargest) return std::nullopt;
  Quantity quantity;
  quantity.text_ = text;
  quantity.milli_ = static_cast<std::int64_t>(size);
  return quantity;
}

}  // namespace ambassador::api
