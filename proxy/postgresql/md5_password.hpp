// The answer to AuthenticationMD5Password, for servers that still keep passwords as MD5. Used by logging in.
// Pure.
//
// Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
#pragma once

#include <string>
#include <string_view>

#include "common/result/result.hpp"

namespace ambassador::proxy::postgresql {

/// "md5" and 32 hexadecimal digits. An Error when OpenSSL refuses MD5 (FIPS mode).
[[nodiscard]] Result<std::string> md5_password(std::string_view user, std::string_view password,
                                               std::string_view salt);

}  // namespace ambassador::proxy::postgresql
