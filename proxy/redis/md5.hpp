// MD5 (RFC 1321) as the hash ring uses it: placing points and, if so configured, keys. Not for security. Own
// code, because OpenSSL's allocates a context per digest and refuses MD5 in FIPS mode. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ambassador::proxy::redis {

/// The digest of `text`, as four little-endian words: bytes 0-3, 4-7, 8-11, 12-15.
[[nodiscard]] std::array<std::uint32_t, 4> md5(std::string_view text);

}  // namespace ambassador::proxy::redis
