// Base64 (RFC 4648, with padding), as SCRAM's messages and verifiers have it; also makes a nonce of random
// bytes. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ambassador::proxy::postgresql {

[[nodiscard]] std::string base64(std::string_view bytes);
/// Nothing when `text` isn't what base64() makes of some bytes.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace ambassador::proxy::postgresql
