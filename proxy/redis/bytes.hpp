// Reading little-endian words out of bytes, the same on every machine. Used by the hashes. Pure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace ambassador::proxy::redis {

/// The 16, 32 or 64 bits that start at `at`, which need not be aligned.
template <class Word>
[[nodiscard]] inline Word little_endian(const char* at) {
  static_assert(std::endian::native == std::endian::little, "add a byte swap for this machine");
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
[[nodiscard]] inline std::uint32_t little_endian16(const char* at) {
  return little_endian<std::uint16_t>(at);
}
[[nodiscard]] inline std::uint32_t little_endian32(const char* at) {
  return little_endian<std::uint32_t>(at);
}

}  // namespace ambassador::proxy::redis
