// Times as Kubernetes writes them. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ambassador::kube {

using SystemTime = std::chrono::system_clock::time_point;

/// metav1.Time: "2026-03-01T12:00:00Z".
std::string rfc3339(SystemTime time);
/// metav1.MicroTime: "2026-03-01T12:00:00.000000Z".
std::string rfc3339_micro(SystemTime time);
/// Either of the two, with any number of fraction digits; UTC ("Z") only, as the API server writes.
std::optional<SystemTime> parse_rfc3339(std::string_view text);

}  // namespace ambassador::kube
