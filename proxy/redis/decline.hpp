// Replies that say that nothing of a request was done, and why: what the server is at the moment, or where
// the keys lie. Used by the reply framer. Pure.
//
// Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ (redirection and
// resharding); server.c, cluster.c (clusterRedirectClient) and blocked.c of Redis 7.0.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// Which of them mean something to the listener.
enum class Heeds : std::uint8_t {
  nothing,  // whatever servers say is the client's
  roles,    // servers change places (mode Replicated)
  slots,    // so do keys (mode Cluster)
};

struct Declined {
  Decline why = Decline::none;
  std::string_view to{};  // of Decline::moved and once: "host:port"; the host may be empty
};

/// `reply` begins with a reply of which at least the first line is there.
[[nodiscard]] Declined read_decline(std::string_view reply, Heeds heeds);

}  // namespace ambassador::proxy::redis
