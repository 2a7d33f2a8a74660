#include "proxy/app/drain.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using ambassador::proxy::app::Drain;
using Step = Drain::Step;

namespace {
const Drain::Time kStart{1000s};
}

TEST_CASE("a proxy that nobody uses ends after three seconds") {
  Drain drain(kStart, 25s);
  CHECK(drain.step(0, kStart) == Step::serve);
  CHECK(drain.step(0, kStart + 2999ms) == Step::serve);
  CHECK(drain.step(0, kStart + 3s) == Step::exit);
}

TEST_CASE("a client that comes back starts the three seconds anew") {
  Drain drain(kStart, 25s);
  CHECK(drain.step(0, kStart + 2s) == Step::serve);
  CHECK(drain.step(1, kStart + 2500ms) == Step::serve);
  CHECK(drain.step(0, kStart + 3s) == Step::serve);
  CHECK(drain.step(0, kStart + 5900ms) == Step::serve);
  CHECK(drain.step(0, kStart + 6s) == Step::exit);
}

TEST_CASE("clients are served until the time is up, then finished, then left") {
  Drain drain(kStart, 10s);
  CHECK(drain.step(2, kStart + 9999ms) == Step::serve);
  CHECK(drain.step(2, kStart + 10s) == Step::finish);
  CHECK(drain.step(1, kStart + 11s) == Step::finish);
  SECTION("the last one is done") {
    CHECK(drain.step(0, kStart + 11100ms) == Step::exit);
  }
  SECTION("one hangs") {
    CHECK(drain.step(1, kStart + 11500ms) == Step::exit);
  }
}

TEST_CASE("without patience an idle proxy ends at once") {
  Drain drain(kStart, 0s);
  CHECK(drain.step(0, kStart) == Step::exit);
}
