// The SQLSTATE codes that the proxy sends or looks for, by the names that PostgreSQL gives them.
//
// Source: https://www.postgresql.org/docs/15/errcodes-appendix.html
#pragma once

#include <string_view>

namespace ambassador::proxy::postgresql::sqlstate {

inline constexpr std::string_view kConnectionFailure = "08006";
inline constexpr std::string_view kProtocolViolation = "08P01";
inline constexpr std::string_view kFeatureNotSupported = "0A000";
inline constexpr std::string_view kReadOnlyTransaction = "25006";
inline constexpr std::string_view kInvalidAuthorization = "28000";
inline constexpr std::string_view kInvalidPassword = "28P01";
inline constexpr std::string_view kSerializationFailure = "40001";
inline constexpr std::string_view kTooManyConnections = "53300";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kAdminShutdown = "57P01";
inline constexpr std::string_view kCrashShutdown = "57P02";
inline constexpr std::string_view kCannotConnectNow = "57P03";

}  // namespace ambassador::proxy::postgresql::sqlstate
