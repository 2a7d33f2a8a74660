#include "operator/admission/readiness.hpp"

#include <catch2/catch.hpp>

using namespace ambassador;
using namespace ambassador::admission;

namespace {
struct Checks {
  bool caches = false;
  bool certificate = false;
  Readiness readiness;
  Checks() {
    readiness.add("caches", [this] { return held(caches); });
    readiness.add("certificate", [this] { return held(certificate); });
  }
  static Result<void> held(bool yes) {
    if (yes) return {};
    return Error{"", "not yet"};
  }
};
}  // namespace

TEST_CASE("a replica is ready once all checks hold at the same time, and says which do not") {
  Checks now;
  CHECK_FALSE(now.readiness.look().ready);
  now.caches = true;
  CHECK_FALSE(now.readiness.look().ready);
  CHECK(now.readiness.look().text == "[+] caches\n[-] certificate: not yet\n");
  now.caches = false;
  now.certificate = true;
  CHECK_FALSE(now.readiness.look().ready);
  now.caches = true;
  CHECK(now.readiness.look().ready);
}

TEST_CASE("once ready it stays ready, whatever happens elsewhere, and goes on saying what is wrong") {
  Checks now;
  now.caches = now.certificate = true;
  REQUIRE(now.readiness.look().ready);
  now.certificate = false;
  const auto report = now.readiness.look();
  CHECK(report.ready);
  CHECK(report.text.find("[-] certificate: not yet") != std::string::npos);
}

TEST_CASE("a replica that ends is not ready any more") {
  Checks now;
  now.caches = now.certificate = true;
  REQUIRE(now.readiness.look().ready);
  now.readiness.end();
  CHECK_FALSE(now.readiness.look().ready);
}
