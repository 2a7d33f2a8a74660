// What a push of a server that tracks what it was asked for says: which keys are not as they were. Used by
// the reply cache. Pure.
//
// Source: https://redis.io/docs/latest/develop/reference/client-side-caching/; Redis 7.0 tracking.c
// (sendTrackingMessage).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ambassador::proxy::redis {

struct Invalidation {
  enum class What : std::uint8_t {
    nothing,  // the push is about something else
    keys,     // `keys` are not as they were
    all,      // no key is: a database was emptied; or it can't be told which
  };
  What what = What::nothing;
  std::vector<std::string_view> keys{};  // lie in the push
};

/// `push` is whole, or empty when it was too long to be read.
[[nodiscard]] Invalidation read_invalidation(std::string_view push);

}  // namespace ambassador::proxy::redis
