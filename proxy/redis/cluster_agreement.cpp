#include "proxy/redis/cluster_agreement.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

#include "proxy/redis/cluster_view.hpp"

namespace ambassador::proxy::redis {
namespace {

/// Nodes that say the same of every slot.
struct Opinion {
  const Members* best = nullptr;  // of the latest epoch, and of one that is well connected if there is any
  std::size_t nodes = 0;
};

// Which of two views of one opinion knows more.
auto freshness(const Members& view) {
  return std::tuple(view.connected, view.epoch);
}

std::vector<Opinion> opinions(std::span<const SeedAnswer> nodes) {
  std::vector<Opinion> all;
  for (const SeedAnswer& node : nodes) {
    if (!node.members || node.members->slots.empty()) continue;  // it has not met the others yet
    const Members& view = *node.members;
    auto known = std::ranges::find_if(all, [&](const Opinion& one) { return same_owners(*one.best, view); });
    if (known == all.end()) known = all.insert(known, Opinion{.best = &view});
    if (freshness(view) > freshness(*known->best)) known->best = &view;
    ++known->nodes;
  }
  return all;
}

}  // namespace

bool ClusterAgreement::weigh(std::span<const SeedAnswer> nodes) {
  const std::vector<Opinion> all = opinions(nodes);
  if (all.empty()) return false;
  const auto weight = [](const Opinion& one) { return std::tuple(one.nodes, freshness(*one.best)); };
  const Opinion* counts = &*std::ranges::max_element(all, {}, weight);
  if (counts->nodes * 2 <= nodes.size()) {
    if (members_) {
      const auto same =
          std::ranges::find_if(all, [&](const Opinion& one) { return same_owners(*one.best, *members_); });
      counts = same == all.end() ? nullptr : &*same;
    }
    const std::uint64_t epoch = (counts != nullptr ? *counts->best : *members_).epoch;
    const auto by_freshness = [](const Opinion& one) { return freshness(*one.best); };
    const Opinion& latest = *std::ranges::max_element(all, {}, by_freshness);
    if (latest.best->connected && latest.best->epoch > epoch) counts = &latest;
    if (counts == nullptr) return false;
  }
  const bool others =
      !members_ || members_->servers != counts->best->servers || members_->slots != counts->best->slots;
  members_ = *counts->best;
  return others;
}

}  // namespace ambassador::proxy::redis
