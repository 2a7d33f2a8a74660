// How often somebody may do something: a bucket in which a token appears at a steady pace, up to so many of
// them, and each time takes one. No timer fills it: all that it knows is when it will be full. Pure: the
// clock is the caller's.
#pragma once

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>

#include "proxy/net/clock.hpp"

namespace ambassador::proxy::net {

/// How fast tokens appear, and how many a bucket holds.
class TokenRate {
 public:
  /// No limit: there is always a token.
  TokenRate() = default;
  /// @param per_second 0: no limit
  /// @param burst what a full bucket holds, 1 or more
  TokenRate(std::uint32_t per_second, std::uint32_t burst) {
    if (per_second == 0) return;
    assert(burst > 0);
    apart_ = std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second;
    ahead_ = apart_ * (burst - 1);
  }
  [[nodiscard]] bool limits() const { return apart_.count() > 0; }
  friend bool operator==(const TokenRate&, const TokenRate&) = default;

 private:
  friend class TokenBucket;
  std::chrono::nanoseconds apart_{0};
  std::chrono::nanoseconds ahead_{0};  // so long before it is full it has a token
};

/// Full at first. Its rate is the caller's, who has many buckets of one rate, and is always the same.
class TokenBucket {
 public:
  /// Takes a token, which need not be there yet: then there is the next one so much later.
  void take(const TokenRate& rate, SteadyTime now) { full_at_ = std::max(full_at_, now) + rate.apart_; }
  /// From when on it has a token.
  [[nodiscard]] SteadyTime next(const TokenRate& rate) const { return full_at_ - rate.ahead_; }

 private:
  SteadyTime full_at_{};
};

}  // namespace ambassador::proxy::net
