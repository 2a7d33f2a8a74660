#include "proxy/redis/in_step.hpp"

#include <algorithm>

namespace ambassador::proxy::redis {

void InStep::read(BackendIndex backend, bool whole) {
  if (waits_) return;
  if (whole) std::erase_if(servers_, [&](const Server& one) { return one.backend != backend; });
  if (std::ranges::find(servers_, backend, &Server::backend) == servers_.end())
    servers_.push_back({.backend = backend});
}

void InStep::did(BackendIndex backend, bool whole) {
  std::erase_if(servers_, [&](const Server& one) { return whole || one.backend == backend; });
}

void InStep::all_answered() {
  waits_ = false;
  for (Server& server : servers_) server.answered = true;
}

void InStep::lost() {
  servers_.clear();
  waits_ = true;
}

bool InStep::with(BackendIndex backend) const {
  return std::ranges::any_of(servers_,
                             [&](const Server& one) { return one.backend == backend && one.answered; });
}

}  // namespace ambassador::proxy::redis
