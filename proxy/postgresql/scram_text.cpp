#include "proxy/postgresql/scram_text.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "proxy/postgresql/limits.hpp"

namespace ambassador::proxy::postgresql {

std::optional<std::string_view> ScramAttributes::take(char name) {
  if (rest_.size() < 2 || rest_[0] != name || rest_[1] != '=') return std::nullopt;
  const std::size_t end = std::min(rest_.find(','), rest_.size());
  const std::string_view value = rest_.substr(2, end - 2);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  return value;
}

bool is_scram_nonce(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

Result<std::uint32_t> read_iterations(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem == std::errc::invalid_argument || end != text.data() + text.size() ||
      (problem == std::errc{} && number == 0))
    return Error{"", "the iteration count of SCRAM is not a positive number"};
  if (problem != std::errc{} || number > kMaxScramIterations)
    return Error{"", "the iteration count of SCRAM is above " + std::to_string(kMaxScramIterations) +
                         ": set scram_iterations of the server lower, and the password again"};
  return number;
}

}  // namespace ambassador::proxy::postgresql
