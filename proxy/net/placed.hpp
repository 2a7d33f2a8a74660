// Owns what comes and goes often: each member knows its place (`std::size_t place`), so that it leaves in
// constant time; the last one takes its place. One worker's thread only.
#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace ambassador::proxy::net {

template <class T>
class Placed {
 public:
  T& add(std::unique_ptr<T> one) {
    one->place = list_.size();
    return *list_.emplace_back(std::move(one));
  }
  /// `one` leaves the list. Who goes through it meanwhile does so from its end.
  [[nodiscard]] std::unique_ptr<T> take(const T& one) {
    const std::size_t place = one.place;
    assert(place < list_.size() && list_[place].get() == &one);
    std::unique_ptr<T> taken = std::move(list_[place]);
    if (place + 1 < list_.size()) {
      list_[place] = std::move(list_.back());
      list_[place]->place = place;
    }
    list_.pop_back();
    return taken;
  }

  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  T& operator[](std::size_t place) const { return *list_[place]; }
  [[nodiscard]] auto begin() const { return list_.begin(); }
  [[nodiscard]] auto end() const { return list_.end(); }

 private:
  std::vector<std::unique_ptr<T>> list_;
};

}  // namespace ambassador::proxy::net
