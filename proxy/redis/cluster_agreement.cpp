#include "proxy/redis/cluster_agreement.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace ambassador::proxy::redis {
namespace {

/// Nodes that say the same of every slot.
struct Opinion {
  const ClusterView* best =
      nullptr;  // of the latest epoch, and of one that is well connected if there is any
  std::size_t nodes = 0;
};

// Which of two views of one opinion knows more.
auto freshness(const ClusterView& view) {
  return std::tuple(view.ok, view.epoch);
}

std::vector<Opinion> opinions(std::span<const std::optional<ClusterView>> said) {
  std::vector<Opinion> all;
  for (const auto& view : said) {
    if (!view || view->ranges.empty()) continue;  // it has not met the others yet
    auto known = std::ranges::find_if(all, [&](const Opinion& one) { return same_owners(*one.best, *view); });
    if (known == all.end()) known = all.insert(known, Opinion{.best = &*view});
    if (freshness(*view) > freshness(*known->best)) known->best = &*view;
    ++known->nodes;
  }
  return all;
}

}  // namespace

bool ClusterAgreement::weigh(std::span<const std::optional<ClusterView>> said) {
  const std::vector<Opinion> all = opinions(said);
  if (all.empty()) return false;
  const auto weight = [](const Opinion& one) { return std::tuple(one.nodes, freshness(*one.best)); };
  const Opinion* counts = &*std::ranges::max_element(all, {}, weight);
  const bool most = counts->nodes * 2 > said.size();
  if (view_ && !most) {
    const auto by_freshness = [](const Opinion& one) { return freshness(*one.best); };
    const Opinion& latest = *std::ranges::max_element(all, {}, by_freshness);
    const auto same =
        std::ranges::find_if(all, [&](const Opinion& one) { return same_owners(*one.best, *view_); });
    const bool news = latest.best->ok && latest.best->epoch > view_->epoch;
    if (!news && same == all.end()) return false;
    counts = news ? &latest : &*same;
  }
  const bool others = !view_ || view_->nodes != counts->best->nodes || view_->ranges != counts->best->ranges;
  view_ = *counts->best;
  return others;
}

}  // namespace ambassador::proxy::redis
