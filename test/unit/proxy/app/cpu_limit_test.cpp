#include "proxy/app/cpu_limit.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using ambassador::proxy::app::cpu_limit;

namespace {

/// A made-up cgroup file system.
struct Cgroup {
  Cgroup() { std::filesystem::create_directories(root + "/cpu"); }
  ~Cgroup() { std::filesystem::remove_all(root); }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(root + "/" + file) << text;
  }
  std::string root = "/tmp/ambassador-cgroup-" + std::to_string(getpid());
};

}  // namespace

TEST_CASE("a CPU limit is rounded up, in both forms of cgroups") {
  Cgroup cgroup;
  const auto [quota, loops] = GENERATE(table<const char*, unsigned>(
      {{"50000", 1U}, {"100000", 1U}, {"100001", 2U}, {"250000", 3U}, {"6400000", 16U}}));
  SECTION("version 2") {
    cgroup.write("cpu.max", std::string(quota) + " 100000\n");
  }
  SECTION("version 1") {
    cgroup.write("cpu/cpu.cfs_quota_us", std::string(quota) + "\n");
    cgroup.write("cpu/cpu.cfs_period_us", "100000\n");
  }
  CHECK(cpu_limit(cgroup.root) == loops);
}

TEST_CASE("without a limit one loop is enough") {
  Cgroup cgroup;
  CHECK(cpu_limit(cgroup.root) == 1);
  SECTION("version 2") {
    cgroup.write("cpu.max", "max 100000\n");
  }
  SECTION("version 1") {
    cgroup.write("cpu/cpu.cfs_quota_us", "-1\n");
    cgroup.write("cpu/cpu.cfs_period_us", "100000\n");
  }
  CHECK(cpu_limit(cgroup.root) == 1);
}
