// The decimal numbers of RESP: lengths and counts in headers, integers in arguments. As strict as Redis
// (string2ll): no plus sign, no leading zero, no blank. Used by parser, framer, split and merge. Pure.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ambassador::proxy::redis {

/// The number that `text` as a whole is; nothing if it is none or does not fit.
template <class Number = std::int64_t>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  const bool negative = text.front() == '-';
  if (text[negative ? 1 : 0] == '0' && text.size() > 1) return std::nullopt;
  return value;
}

inline void append_number(std::string& out, std::int64_t value) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// The number in a RESP header, "<type><number>\r\n".
struct Header {
  enum class State : std::uint8_t { incomplete, complete, broken };
  State state = State::incomplete;
  std::int64_t number = 0;
  std::size_t bytes = 0;  // of the whole header, when complete
};

/// Reads the header at the start of `size` bytes at `data`; the type (first byte, must be there) is the
/// caller's business.
[[nodiscard]] inline Header read_header(const char* data, std::size_t size) {
  constexpr std::size_t kMaxDigits = 18;  // what surely fits 63 bits; more is nobody's length
  std::size_t at = 1;
  const bool negative = at < size && data[at] == '-';
  if (negative) ++at;
  const std::size_t first = at;
  std::int64_t number = 0;
  for (; at < size; ++at) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(data[at])) - '0';
    if (digit > 9) break;
    if (at - first == kMaxDigits) return {Header::State::broken, 0, 0};
    number = number * 10 + digit;
  }
  if (at == size) return {};
  const std::size_t digits = at - first;
  if (data[at] != '\r' || digits == 0 || (data[first] == '0' && (digits > 1 || negative))) {
    return {Header::State::broken, 0, 0};
  }
  if (at + 1 == size) return {};
  if (data[at + 1] != '\n') return {Header::State::broken, 0, 0};
  return {Header::State::complete, negative ? -number : number, at + 2};
}

/// The same for nearly all headers, those of one or two digits, in a few instructions: the header's bytes, or
/// 0 (then read_header has to look, and `number` is as it was). Leaves the number in `number`.
[[nodiscard, gnu::always_inline]] inline std::size_t read_short_header(const char* data, std::size_t size,
                                                                       std::uint32_t& number) {
  if (size < 5) return 0;
  const std::uint32_t tens = static_cast<unsigned char>(data[1]) - std::uint32_t{'0'};
  if (tens > 9) return 0;
  if (data[2] == '\r') {
    if (data[3] != '\n') return 0;
    number = tens;
    return 4;
  }
  const std::uint32_t ones = static_cast<unsigned char>(data[2]) - std::uint32_t{'0'};
  if (ones > 9 || tens == 0 || data[3] != '\r' || data[4] != '\n') return 0;
  number = tens * 10 + ones;
  return 5;
}

}  // namespace ambassador::proxy::redis
