// The shared lanes of one relay: a row per kind of connection, in it one place per backend. The ordinary row
// is always there, and found without a search; others come with the first message that needs them and go
// when they are empty. Owned by the Relay. One worker's thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "proxy/net/lane.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

class SharedLanes {
 public:
  /// Kinds in use at once: what clients may ask for must not decide how many connections servers get.
  static constexpr std::size_t kMostKinds = 64;

  explicit SharedLanes(std::size_t backends) : rows_(1), backends_(backends) {
    rows_.front().lanes.resize(backends);
  }

  /// The place of the lane of that kind to that backend, which there is; null: there are too many kinds. Good
  /// until another member is called.
  [[nodiscard]] std::unique_ptr<Lane>* place(LaneKind kind, BackendIndex backend) {
    if (kind == LaneKind::ordinary) [[likely]]
      return &rows_.front().lanes[backend];
    return place_of_other(kind, backend);
  }
  /// Takes one of these lanes out; null: it is none of them.
  [[nodiscard]] std::unique_ptr<Lane> take(const Lane& lane);
  /// Takes out the lanes of a kind that is not the ordinary one and that nobody uses at the moment; none:
  /// there is no such kind.
  [[nodiscard]] std::vector<std::unique_ptr<Lane>> take_unused_kind();
  /// The backends are `now` instead of `before`: lanes of those that stay keep their place in the new order.
  /// Returns the others.
  [[nodiscard]] std::vector<std::unique_ptr<Lane>> reorder(const Upstreams& before, const Upstreams& now);
  [[nodiscard]] std::vector<std::unique_ptr<Lane>> take_all();

  [[nodiscard]] bool empty() const { return lanes().empty(); }
  /// All of them, as they are now: what is done with one may lead to changes here.
  [[nodiscard]] std::vector<Lane*> lanes() const;

 private:
  struct Row {
    LaneKind kind = LaneKind::ordinary;
    std::vector<std::unique_ptr<Lane>> lanes{};  // by BackendIndex; null until first used
  };
  [[nodiscard]] std::unique_ptr<Lane>* place_of_other(LaneKind kind, BackendIndex backend);
  void drop_empty_rows();

  std::vector<Row> rows_;  // the ordinary one is the first
  std::size_t backends_;
};

}  // namespace ambassador::proxy::net
