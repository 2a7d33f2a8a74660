#include "common/metrics/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "common/metrics/metrics.hpp"

namespace ambassador::metrics {
namespace {

// proc(5): the fields of /proc/self/stat behind the command's closing parenthesis, so that [0] is field 3,
// "state".
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');
  if (end == std::string::npos) {
    return {};
  }
  std::istringstream rest(line.substr(end + 1));
  return {std::istream_iterator<std::string>(rest), std::istream_iterator<std::string>()};
}

// Seconds since the epoch at which the machine started; 0 when unknown.
double boot_time() {
  std::ifstream file("/proc/stat");
  std::string key;
  while (file >> key) {
    if (key == "btime") {
      double seconds = 0;
      file >> seconds;
      return seconds;
    }
    std::getline(file, key);
  }
  return 0;
}

}  // namespace

void add_process(Sheet& sheet) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const std::vector<std::string> fields = stat_fields();
  constexpr std::size_t kUtime = 14 - 3;
  constexpr std::size_t kStartTime = 22 - 3;
  constexpr std::size_t kVsize = 23 - 3;
  constexpr std::size_t kRss = 24 - 3;
  if (fields.size() > kRss) {
    sheet.counter("process_cpu_seconds_total", "User and system CPU time in seconds", {},
                  (std::stod(fields[kUtime]) + std::stod(fields[kUtime + 1])) / ticks);
    sheet.gauge("process_resident_memory_bytes", "Resident memory", {}, std::stod(fields[kRss]) * page);
    sheet.gauge("process_virtual_memory_bytes", "Virtual memory", {}, std::stod(fields[kVsize]));
    sheet.gauge("process_start_time_seconds", "Start of the process since the epoch", {},
                boot_time() + std::stod(fields[kStartTime]) / ticks);
  }
  std::error_code error;
  const std::filesystem::directory_iterator open_files("/proc/self/fd", error);
  if (!error) {
    sheet.gauge("process_open_fds", "Open file descriptors", {},
                static_cast<double>(std::distance(begin(open_files), end(open_files))));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    sheet.gauge("process_max_fds", "Most file descriptors allowed", {}, static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace ambassador::metrics
