// The answer to a server that keeps passwords as MD5.
#include "proxy/postgresql/md5_password.hpp"

#include <catch2/catch.hpp>

using namespace ambassador::proxy::postgresql;

TEST_CASE("the answer is the digest of the stored digest and the salt") {
  // md5(md5("secret" "alice") in hex, "salt"), computed with md5sum.
  CHECK(*md5_password("alice", "secret", "salt") == "md5986e2194384c07f4fd1df4b1351b3e68");
}
