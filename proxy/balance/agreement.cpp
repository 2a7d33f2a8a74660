#include "proxy/balance/agreement.hpp"

#include <algorithm>
#include <map>

namespace ambassador::proxy::balance {
namespace {

// The list that most seeds tell of, of those with the highest epoch; of two that as many tell of the one
// whose leader is `before`. Nothing: nobody tells of any.
std::optional<Members> newest(std::span<const SeedAnswer> seeds, const std::optional<Members>& before) {
  std::uint64_t epoch = 0;
  for (const SeedAnswer& seed : seeds) {
    if (seed.members) epoch = std::max(epoch, seed.members->epoch);
  }
  struct List {
    unsigned seeds = 0;
    std::vector<Place> servers;
  };
  std::map<Place, List> by_leader;
  for (const SeedAnswer& seed : seeds) {
    if (!seed.members || seed.members->epoch != epoch) continue;
    List& list = by_leader[seed.members->leader];
    ++list.seeds;
    list.servers.insert(list.servers.end(), seed.members->servers.begin(), seed.members->servers.end());
  }
  if (by_leader.empty()) return std::nullopt;
  const auto weight = [&](const auto& one) {
    return std::pair(one.second.seeds, before && before->leader == one.first);
  };
  auto& [leader, list] = *std::ranges::max_element(by_leader, {}, weight);
  std::ranges::sort(list.servers);
  const auto doubled = std::ranges::unique(list.servers);
  list.servers.erase(doubled.begin(), doubled.end());
  return Members{.epoch = epoch, .leader = leader, .servers = std::move(list.servers)};
}

}  // namespace

bool Agreement::weigh(std::span<const SeedAnswer> seeds) {
  std::optional<Members> now = newest(seeds, members_);
  if (!now) return false;
  const bool newer = !members_ || now->epoch > members_->epoch ||
                     (now->epoch == members_->epoch && now->leader == members_->leader);
  if (!newer && !std::ranges::all_of(seeds, &SeedAnswer::answers)) return false;
  const bool others = !members_ || now->servers != members_->servers;
  members_ = std::move(now);
  return others;
}

}  // namespace ambassador::proxy::balance
