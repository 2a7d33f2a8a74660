// How long one call to the API server may take, all its tries together.
#pragma once

#include <chrono>

namespace ambassador::certs {

inline constexpr std::chrono::seconds kCallTimeout{10};

}  // namespace ambassador::certs
