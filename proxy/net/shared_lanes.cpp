#include "proxy/net/shared_lanes.hpp"

#include <algorithm>
#include <utility>

namespace ambassador::proxy::net {
namespace {

using Lanes = std::vector<std::unique_ptr<Lane>>;

void move_all(Lanes& from, Lanes& to) {
  for (auto& lane : from) {
    if (lane) to.push_back(std::move(lane));
  }
}

}  // namespace

std::unique_ptr<Lane>* SharedLanes::place_of_other(LaneKind kind, BackendIndex backend) {
  for (Row& row : rows_) {
    if (row.kind == kind) return &row.lanes[backend];
  }
  if (rows_.size() >= kMostKinds) return nullptr;
  Row& row = rows_.emplace_back();
  row.kind = kind;
  row.lanes.resize(backends_);
  return &row.lanes[backend];
}

std::unique_ptr<Lane> SharedLanes::take(const Lane& lane) {
  std::unique_ptr<Lane> taken;
  for (Row& row : rows_) {
    for (auto& place : row.lanes) {
      if (place.get() == &lane) taken = std::move(place);
    }
  }
  drop_empty_rows();
  return taken;
}

Lanes SharedLanes::take_unused_kind() {
  Lanes taken;
  const auto unused = [](const auto& lane) { return !lane || lane->unused(); };
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    if (!std::ranges::all_of(rows_[i].lanes, unused)) continue;
    move_all(rows_[i].lanes, taken);
    break;
  }
  drop_empty_rows();
  return taken;
}

Lanes SharedLanes::reorder(const Upstreams& before, const Upstreams& now) {
  Lanes removed;
  backends_ = now.size();
  for (Row& row : rows_) {
    Lanes lanes(now.size());
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      const BackendIndex same = index_of(before, *now[i]);
      if (same != kNoBackend) lanes[i] = std::move(row.lanes[same]);
    }
    row.lanes.swap(lanes);
    move_all(lanes, removed);
  }
  drop_empty_rows();
  return removed;
}

Lanes SharedLanes::take_all() {
  Lanes taken;
  for (Row& row : rows_) move_all(row.lanes, taken);
  drop_empty_rows();
  return taken;
}

std::vector<Lane*> SharedLanes::lanes() const {
  std::vector<Lane*> all;
  for (const Row& row : rows_) {
    for (const auto& lane : row.lanes) {
      if (lane) all.push_back(lane.get());
    }
  }
  return all;
}

void SharedLanes::drop_empty_rows() {
  const auto is_empty = [](const Row& row) {
    return row.kind != LaneKind::ordinary &&
           std::ranges::none_of(row.lanes, [](const auto& lane) { return lane != nullptr; });
  };
  std::erase_if(rows_, is_empty);
}

}  // namespace ambassador::proxy::net
