#include "proxy/app/cpu_limit.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

namespace ambassador::proxy::app {
namespace {

/// More loops than this only cost memory: a sidecar has few connections.
constexpr unsigned kMaxLoops = 16;

unsigned rounded_up(double quota, double period) {
  if (quota <= 0 || period <= 0) {
    return 1;
  }
  return static_cast<unsigned>(std::clamp(std::ceil(quota / period), 1.0, static_cast<double>(kMaxLoops)));
}

}  // namespace

unsigned cpu_limit(const std::string& root) {
  double quota = 0;
  double period = 0;
  if (std::ifstream v2(root + "/cpu.max"); v2 >> quota >> period) {  // "max 100000" fails to read: no limit
    return rounded_up(quota, period);
  }
  std::ifstream v1_quota(root + "/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period(root + "/cpu/cpu.cfs_period_us");
  if (v1_quota >> quota && v1_period >> period) {
    return rounded_up(quota, period);
  }
  return 1;
}

}  // namespace ambassador::proxy::app
