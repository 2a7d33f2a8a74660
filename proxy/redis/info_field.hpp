// Looks into what a Redis server tells as lines "name:value" (INFO, CLUSTER INFO). Used by probes and by
// cluster_view. Pure.
#pragma once

#include <algorithm>
#include <string_view>

#include "proxy/redis/limits.hpp"

namespace ambassador::proxy::redis {

/// The value of the line of that name; empty: there is none.
[[nodiscard]] inline std::string_view info_field(std::string_view info, std::string_view name) {
  for (std::size_t at = 0; at < info.size();) {
    const std::size_t end = std::min(info.find("\r\n", at), info.size());
    const std::string_view line = info.substr(at, end - at);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':')
      return line.substr(name.size() + 1);
    at = end + kLineEnd;
  }
  return {};
}

}  // namespace ambassador::proxy::redis
