#include "proxy/net/token_bucket.hpp"

#include <catch2/catch.hpp>

using namespace ambassador::proxy::net;
using namespace std::chrono_literals;

namespace {

/// How many requests of a client that always has one are read from `begin` until `end`.
int read_between(TokenBucket& bucket, const TokenRate& rate, SteadyTime begin, SteadyTime end) {
  int read = 0;
  for (SteadyTime now = begin; now < end; now = std::max(now, bucket.next(rate))) {
    bucket.take(rate, now);
    ++read;
  }
  return read;
}

const SteadyTime kStart = SteadyTime{} + 100h;

}  // namespace

TEST_CASE("a full bucket has its burst of tokens, then one at each tick") {
  const TokenRate rate(10, 3);
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) {
    CHECK(bucket.next(rate) <= kStart);
    bucket.take(rate, kStart);
  }
  CHECK(bucket.next(rate) == kStart + 100ms);
  bucket.take(rate, kStart + 100ms);
  CHECK(bucket.next(rate) == kStart + 200ms);
}

TEST_CASE("after a pause a bucket is as full as the pause was long, and no fuller") {
  const TokenRate rate(10, 3);
  TokenBucket bucket;
  CHECK(read_between(bucket, rate, kStart, kStart + 1ms) == 3);
  CHECK(read_between(bucket, rate, kStart + 200ms, kStart + 201ms) == 2);
  CHECK(read_between(bucket, rate, kStart + 1h, kStart + 1h + 1ms) == 3);
}

TEST_CASE("a token that is taken before it is there puts the next one off") {
  const TokenRate rate(10, 1);
  TokenBucket bucket;
  for (int i = 0; i < 5; ++i) bucket.take(rate, kStart);
  CHECK(bucket.next(rate) == kStart + 500ms);
}

TEST_CASE("in the long run the rate is what counts, whatever the burst") {
  for (const std::uint32_t per_second : {1U, 3U, 10U, 1'000U, 999'999U}) {
    for (const std::uint32_t burst : {1U, 7U, 500U}) {
      INFO(per_second << " a second, " << burst << " at once");
      TokenBucket bucket;
      const auto read = read_between(bucket, TokenRate(per_second, burst), kStart, kStart + 10s);
      CHECK(read == Approx(10.0 * per_second + burst - 1).epsilon(0.001).margin(1.5));
    }
  }
}

TEST_CASE("no rate is no limit, and rates differ by pace and burst") {
  CHECK_FALSE(TokenRate().limits());
  CHECK_FALSE(TokenRate(0, 0).limits());
  CHECK(TokenRate(0, 0) == TokenRate());
  CHECK(TokenRate(1'000'000, 1'000'000).limits());
  CHECK(TokenRate(10, 1) == TokenRate(10, 1));
  CHECK_FALSE(TokenRate(10, 1) == TokenRate(10, 2));
  CHECK_FALSE(TokenRate(10, 1) == TokenRate(11, 1));
}
