#include "operator/kube/timestamp.hpp"

#include <array>
#include <ctime>

namespace ambassador::kube {

namespace {
std::string print(SystemTime time, bool micro) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = std::chrono::duration_cast<std::chrono::microseconds>(time - seconds).count();
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 32> text{};
  std::string out(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts));
  if (micro) {
    const std::string digits = std::to_string(fraction);
    out += "." + std::string(6 - digits.size(), '0') + digits;
  }
  return out + "Z";
}
}  // namespace

std::string rfc3339(SystemTime time) {
  return print(time, false);
}
std::string rfc3339_micro(SystemTime time) {
  return print(time, true);
}

std::optional<SystemTime> parse_rfc3339(std::string_view text) {
  // 2026-03-01T12:00:00[.fraction]Z
  static constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() < kForm.size() + 1 || text.back() != 'Z') return std::nullopt;
  int numbers[6] = {};
  std::size_t which = 0;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != '0') {
      if (text[i] != kForm[i]) return std::nullopt;
      ++which;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    numbers[which] = numbers[which] * 10 + (text[i] - '0');
  }
  long micros = 0;
  auto rest = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  if (!rest.empty()) {
    if (rest.front() != '.' || rest.size() < 2) return std::nullopt;
    rest.remove_prefix(1);
    long unit = 100000;
    for (const char digit : rest) {
      if (digit < '0' || digit > '9') return std::nullopt;
      micros += unit * (digit - '0');
      unit /= 10;
    }
  }
  if (numbers[1] < 1 || numbers[1] > 12 || numbers[2] < 1 || numbers[2] > 31 || numbers[3] > 23 ||
      numbers[4] > 59 || numbers[5] > 60) {
    return std::nullopt;
  }
  std::tm parts{};
  parts.tm_year = numbers[0] - 1900;
  parts.tm_mon = numbers[1] - 1;
  parts.tm_mday = numbers[2];
  parts.tm_hour = numbers[3];
  parts.tm_min = numbers[4];
  parts.tm_sec = numbers[5];
  return std::chrono::system_clock::from_time_t(timegm(&parts)) + std::chrono::microseconds(micros);
}

}  // namespace ambassador::kube
