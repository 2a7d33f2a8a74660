#include "proxy/app/source.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

#include "common/config/parse.hpp"

using namespace ambassador::proxy::app;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE("a file that cannot be read is named with the reason") {
  CHECK_THAT(read_file("/nowhere/config.json").error().text(),
             StartsWith("/nowhere/config.json: cannot be read") && Contains("No such file"));
  CHECK_FALSE(read_file("/tmp").ok());
}

TEST_CASE("a file without end is not read") {
  const std::string path = "/tmp/ambassador-source-" + std::to_string(getpid());
  std::ofstream(path) << std::string(ambassador::config::kMaxTextBytes + 1, ' ');
  CHECK_THAT(read_file(path).error().text(), Contains("is longer than 1048576 bytes"));
  std::ofstream(path, std::ios::trunc) << "version: 1\n";
  CHECK(*read_file(path) == "version: 1\n");
  std::remove(path.c_str());
}

TEST_CASE("a wrong file is refused with its name, and the place and line of each error") {
  const auto refused = parse_file("/x.yaml", "version: 1\nlogLevel: Loud\nshutdown: maybe\n");
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error().text(), StartsWith("/x.yaml: ") && Contains("logLevel: 'Loud'") &&
                                         Contains("(line 2)") && Contains("shutdown") &&
                                         Contains("(line 3)"));
}

TEST_CASE("the drop-in's ports can be moved or switched off") {
  Options options;
  options.redis_servers = "a:1:1";
  CHECK(drop_in(options)->health_port == kDefaultHealthPort);
  options.health_port = 0;
  options.admin_port = 7;
  CHECK(drop_in(options)->health_port == 0);
  CHECK(drop_in(options)->admin_port == 7);
  options.redis_servers = "a:1:0";
  CHECK_THAT(drop_in(options).error().text(), StartsWith("REDIS_SERVERS: "));
}
