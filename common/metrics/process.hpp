// process_* as every Prometheus client library names them, read from /proc/self. Called by Metrics at a
// scrape.
#pragma once

namespace ambassador::metrics {

class Sheet;

/// Adds process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
/// process_open_fds, process_max_fds and process_start_time_seconds; what can't be read is left out.
void add_process(Sheet& sheet);

}  // namespace ambassador::metrics
