#include "common/metrics/process.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

namespace ambassador::metrics {
namespace {

/// Fields of /proc/self/stat after the command's name, which may hold spaces (proc(5)); [0] is field 3.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(line.substr(end + 1));
  std::vector<std::string> fields;
  for (std::string word; rest >> word;) fields.push_back(word);
  return fields;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

double open_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return -1;
  double count = -3;  // ".", ".." and the folder itself
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

}  // namespace

void collect_process(Sheet& sheet) {
  const auto fields = stat_fields();
  if (fields.size() > 21) {  // utime, stime, starttime, vsize, rss are fields 14, 15, 22, 23, 24
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    sheet.counter("process_cpu_seconds_total", "User and system CPU time in seconds.", {},
                  (std::stod(fields[11]) + std::stod(fields[12])) / ticks);
    static const double started = boot_time() + std::stod(fields[19]) / ticks;
    sheet.gauge("process_start_time_seconds", "Start time since the Unix epoch in seconds.", {}, started);
    sheet.gauge("process_virtual_memory_bytes", "Virtual memory in bytes.", {}, std::stod(fields[20]));
    sheet.gauge("process_resident_memory_bytes", "Resident memory in bytes.", {},
                std::stod(fields[21]) * page);
  }
  if (const double open = open_descriptors(); open >= 0) {
    sheet.gauge("process_open_fds", "Open file descriptors.", {}, open);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    sheet.gauge("process_max_fds", "The most file descriptors.", {}, static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace ambassador::metrics
