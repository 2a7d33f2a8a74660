// What others may say for a host or a name.
#include "common/config/recognised.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace ambassador::config;

TEST_CASE("a server's host is a name or an address, and no file") {
  for (const char* host :
       {"redis-0", "redis-0.redis.shop.svc.cluster.local", "10.0.0.1", "fd00::1", "::1", "a_b."}) {
    INFO(host);
    CHECK(is_server_host(host));
  }
  for (const char* host : {"", "/run/redis.sock", "a b", "a\nb", "-a", "[::1]", "a:1", "a..b"}) {
    INFO(host);
    CHECK_FALSE(is_server_host(host));
  }
  CHECK_FALSE(is_server_host(std::string(254, 'a')));
}

TEST_CASE("a master's name is one word") {
  for (const char* name : {"mymaster", "orders_1", "a.b-c", "-"}) CHECK(is_master_name(name));
  for (const char* name : {"", "my master", "m\n", "m/1", "\xc3\xa4"}) CHECK_FALSE(is_master_name(name));
  CHECK(is_master_name(std::string(253, 'a')));
  CHECK_FALSE(is_master_name(std::string(254, 'a')));
}
