// The two clocks of this room. Durations and deadlines use the steady one; the system one is only shown.
#pragma once

#include <chrono>

namespace ambassador::proxy::net {

using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::system_clock::time_point;

}  // namespace ambassador::proxy::net
