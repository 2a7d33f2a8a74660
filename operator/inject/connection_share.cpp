#include "operator/inject/connection_share.hpp"

#include <algorithm>
#include <bit>

namespace ambassador::inject {

unsigned connection_share(unsigned budget, std::size_t pods) {
  const std::size_t parts = std::bit_ceil(std::max<std::size_t>(pods, 1));
  return std::max(1U, static_cast<unsigned>(budget / parts));
}

unsigned allowed_connections(const KnownPolicy& known, const api::Listener& listener) {
  const unsigned most = listener.sql.max_server_connections;
  const auto budget = known.spec().connection_budget;
  if (!budget) return most;
  return std::min({most, *budget, known.connections_per_pod.value_or(*budget)});
}

}  // namespace ambassador::inject
