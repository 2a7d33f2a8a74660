// How many event loops are worth having: the container's CPU limit, rounded up.
#pragma once

#include <string>

namespace ambassador::proxy::app {

/// Reads the CPU quota of cgroup v2 (cpu.max) or v1 (cpu.cfs_quota_us / cpu.cfs_period_us) under `root`; 1
/// where there is no limit: a sidecar without one must not spread over the whole node.
unsigned cpu_limit(const std::string& root = "/sys/fs/cgroup");

}  // namespace ambassador::proxy::app
