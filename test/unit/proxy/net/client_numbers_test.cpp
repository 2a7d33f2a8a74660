// Numbers and secrets by which the clients of a listener are told apart.
#include "proxy/net/client_numbers.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace ambassador::proxy;
using namespace ambassador::proxy::net;

TEST_CASE("no two clients have the same number, or secrets that begin alike") {
  ClientNumbers numbers;
  std::set<std::uint32_t> seen;
  std::set<std::string> heads;
  for (int i = 0; i < 20'000; ++i) {
    const PooledCore::Client client = numbers.take();
    CHECK(client.number > 0);
    CHECK(client.number <= 0x7fffffff);
    seen.insert(client.number);
    heads.insert(std::string(client.secret.data(), 4));
    if (i % 2 == 0) numbers.give_back(client);
  }
  CHECK(seen.size() == 20'000);
  CHECK(heads.size() >= 19'990);  // those of clients that left may come again
}
