#include "proxy/net/standings.hpp"

#include <algorithm>

namespace ambassador::proxy::net {

void Standings::follow(const Upstreams& upstreams) {
  std::vector<Known> known;
  for (const auto& upstream : upstreams) {
    const BackendIndex before = index_of(upstreams_, *upstream);
    known.push_back(before != kNoBackend ? known_[before] : Known{});
  }
  upstreams_ = upstreams;
  known_ = std::move(known);
  if (primary_ == nullptr || index_of(upstreams_, *primary_) != kNoBackend) return;
  primary_ = nullptr;
  history_.clear();
}

bool Standings::said(const Upstream& one, const Standing& standing, SteadyTime asked_at, SteadyTime now) {
  const BackendIndex at = index_of(upstreams_, one);
  if (at == kNoBackend) return false;
  known_[at] = {.position = standing.position, .answers = true};
  if (one.role() == Role::replica) {
    const bool known = standing.role == Role::replica && standing.position != 0;
    upstreams_[at]->set_behind(known ? history_.behind(standing.position, now) : std::nullopt, now);
    return false;
  }
  if (!leads(upstreams_, one) || standing.position == 0) return false;
  const bool another = primary_ != &one || term_ != standing.term;
  if (another) {  // what replicas were told to have may not be part of it
    history_.clear();
    for (const auto& upstream : upstreams_) upstream->set_behind(std::nullopt, now);
    primary_ = &one;
    term_ = standing.term;
  }
  history_.add(asked_at, standing.position);
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {
    Upstream& other = *upstreams_[i];
    if (known_[i].position == 0 || other.role() != Role::replica || !other.lag()) continue;
    if (const auto behind = history_.behind(known_[i].position, now)) other.set_has_until(behind->has_until);
  }
  return another;
}

void Standings::silent(const Upstream& one, SteadyTime now) {
  const BackendIndex at = index_of(upstreams_, one);
  if (at == kNoBackend) return;
  known_[at] = {};
  upstreams_[at]->set_behind(std::nullopt, now);
}

bool Standings::has_primary() const {
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {
    if (known_[i].answers && leads(upstreams_, *upstreams_[i])) return true;
  }
  return false;
}

}  // namespace ambassador::proxy::net
