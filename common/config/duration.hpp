// Kubernetes duration strings ("1m30s", "500ms"), as the API and the configuration write time. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/result/result.hpp"

namespace ambassador::config {

/// The longest duration that is read: longer ones are typing errors, and timers must not overflow.
inline constexpr std::chrono::hours kMaxDuration{10000};

/// "0", or numbers with unit h, m, s or ms in a row, decimals allowed ("1.5h"), as Go's ParseDuration without
/// sign. Units below a millisecond are refused. The Error has an empty `where`.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest form that reads back equal: "0s", "500ms", "1m30s", "1h". Not for negative durations.
std::string print_duration(std::chrono::milliseconds duration);

}  // namespace ambassador::config
