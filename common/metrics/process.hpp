// process_* as every Prometheus client has them, read from /proc/self. Inside of common/metrics.
#pragma once

#include "common/metrics/metrics.hpp"

namespace ambassador::metrics {

/// What cannot be read is left out.
void collect_process(Sheet& sheet);

}  // namespace ambassador::metrics
