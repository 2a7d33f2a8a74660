// Kubernetes duration strings: Go's time.ParseDuration, as metav1.Duration reads and writes them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ambassador::api {

/// "500ms", "5s", "1m30s", "1.5h"; "0" alone needs no unit. nullopt for anything else, for negative ones, for
/// more than 10,000 h, and where something finer than a millisecond is meant.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "1m30s", "500ms", "0s".
std::string print_duration(std::chrono::milliseconds duration);

}  // namespace ambassador::api
