#include "proxy/net/upstream.hpp"

#include <catch2/catch.hpp>

#include "proxy/net/address.hpp"
#include "proxy/net/histogram.hpp"

using namespace ambassador;
using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

const SteadyTime kNow{std::chrono::hours(5)};

config::Backend backend(std::string host, std::uint16_t port) {
  config::Backend result;
  result.name = "b";
  result.host = std::move(host);
  result.port = port;
  return result;
}

}  // namespace

TEST_CASE("addresses are read and shown as people write them") {
  CHECK(Address::ip("127.0.0.1", 80)->text() == "127.0.0.1:80");
  CHECK(Address::ip("::1", 6379)->text() == "[::1]:6379");
  CHECK(Address::ip("::1", 6379)->with_port(7).port() == 7);
  CHECK_FALSE(Address::ip("redis-0", 80));
  CHECK_FALSE(Address::ip("127.0.0.1.", 80));
  CHECK(Address::unix_path("/run/a.sock")->text() == "unix:/run/a.sock");
  CHECK(Address::unix_path("/" + std::string(106, 'x')));
  CHECK_FALSE(Address::unix_path("/" + std::string(107, 'x')));
  CHECK_FALSE(Address::unix_path("relative"));
}

TEST_CASE("an address or a path needs no resolver, a name has no address before its first answer") {
  CHECK(Upstream(backend("10.0.0.1", 6379)).addresses()->front().text() == "10.0.0.1:6379");
  CHECK(Upstream(backend("/run/redis.sock", 0)).addresses()->front().is_unix());
  Upstream named(backend("redis-0", 6379));
  CHECK(named.addresses()->empty());
  named.resolved({*Address::ip("10.0.0.2", 0)}, {});
  named.resolve_failed("SERVFAIL");
  CHECK(named.addresses()->front().text() == "10.0.0.2:6379");
}

TEST_CASE("a backend that refused is avoided for a second, or until it answers") {
  Upstream upstream(backend("10.0.0.1", 6379));
  CHECK(upstream.usable(kNow));
  upstream.connect_failed("refused", kNow);
  CHECK_FALSE(upstream.usable(kNow));
  CHECK(upstream.usable(kNow + 1s));
  SECTION("a connection") {
    upstream.connected();
  }
  SECTION("a probe") {
    upstream.probed(true, "", kNow);
  }
  CHECK(upstream.usable(kNow));
}

TEST_CASE("a failed probe takes a backend out until one goes well") {
  Upstream upstream(backend("10.0.0.1", 6379));
  upstream.probed(false, "LOADING", kNow);
  CHECK_FALSE(upstream.usable(kNow + 1h));
  CHECK(upstream.probe_failed());
  BackendSnapshot shown;
  upstream.describe(shown, kNow);
  CHECK(shown.health == "down: LOADING");
  upstream.probed(true, "", kNow);
  CHECK(upstream.usable(kNow));
}

TEST_CASE("with ejection it takes so many failures in a row, and the time alone brings a backend back") {
  Upstream upstream(backend("10.0.0.1", 6379));
  upstream.set_ejection(config::Ejection{3, 30s});
  upstream.connect_failed("refused", kNow);
  upstream.connect_failed("refused", kNow);
  upstream.connected();
  upstream.connect_failed("refused", kNow);
  upstream.connect_failed("refused", kNow);
  CHECK(upstream.usable(kNow));
  upstream.connect_failed("refused", kNow);
  CHECK_FALSE(upstream.usable(kNow));
  upstream.connected();
  upstream.probed(true, "", kNow);
  CHECK_FALSE(upstream.usable(kNow + 29s));
  CHECK(upstream.usable(kNow + 30s));
}

TEST_CASE("a histogram's buckets meet without gap and its quantiles are within a quarter") {
  for (std::uint64_t us = 0; us < 200'000; ++us) {
    const std::size_t bucket = HistogramBuckets::of(us);
    REQUIRE(us < HistogramBuckets::upper(bucket));
    if (bucket > 0) REQUIRE(us >= HistogramBuckets::upper(bucket - 1));
  }
  CHECK(HistogramBuckets::of(~0ULL) == HistogramBuckets::kCount - 1);
  Histogram histogram;
  for (std::uint64_t us = 1; us <= 1000; ++us) histogram.record(us);
  const HistogramSnapshot all = histogram.snapshot();
  CHECK(all.total == 1000);
  CHECK(all.sum_microseconds == 500'500);
  CHECK(all.quantile(0.5) >= 500);
  CHECK(all.quantile(0.5) <= 640);
  CHECK(all.quantile(0.99) >= 990);
  CHECK(all.below(1'000'000) == 1000);
  CHECK(HistogramSnapshot{}.quantile(0.5) == 0);
}

TEST_CASE("how far a server is follows what probes take, slowly") {
  Upstream upstream(backend("10.0.0.1", 6379));
  CHECK(upstream.distance() == 0us);
  upstream.probe_took(800us);
  CHECK(upstream.distance() == 800us);
  upstream.probe_took(1600us);
  CHECK(upstream.distance() == 900us);
  for (int i = 0; i < 50; ++i) upstream.probe_took(1600us);
  CHECK(upstream.distance() > 1550us);
}
