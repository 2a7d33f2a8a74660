#include "common/config/ip_literal.hpp"

#include <arpa/inet.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

using namespace ambassador::config;

TEST_CASE("address literals are recognised exactly as inet_pton does") {
  const std::string text = GENERATE(
      "127.0.0.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.", "",
      "a", "::", "::1", "1::", "fe80::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
      ":1", "1:", "::ffff:10.0.0.1", "::10.0.0.256", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
      "12345::", "g::", ":::", "1.2.3.4::", "1:2:3:4::5:6:7:8", "1:2:3::5:6:7:8", "::1.2.3.4:5");
  CAPTURE(text);
  std::array<unsigned char, 16> bytes{};
  CHECK(is_ipv4_literal(text) == (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1));
  CHECK(is_ipv6_literal(text) == (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1));
}

TEST_CASE("an IPv6 literal may name its scope") {
  CHECK(is_ipv6_literal("fe80::1%eth0"));
  CHECK_FALSE(is_ipv6_literal("fe80::1%"));
  CHECK_FALSE(is_ipv6_literal("fe80::1%a b"));
}

TEST_CASE("loopback is what stays on the host") {
  CHECK(is_loopback_literal("127.0.0.53"));
  CHECK(is_loopback_literal("::1"));
  CHECK_FALSE(is_loopback_literal("10.0.0.1"));
  CHECK_FALSE(is_loopback_literal("127.example"));
}
