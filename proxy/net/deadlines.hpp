// One lazy deadline per connection: a heap of times at which somebody wants to look at the clock. Activity
// does not touch the heap; whoever is woken too early just says when to be woken next. Pure: the clock is the
// caller's. One worker's thread only.
#pragma once

#include <cstddef>
#include <vector>

#include "proxy/net/clock.hpp"

namespace ambassador::proxy::net {

class Deadlines;

/// Inherited by what has a deadline; leaves the heap when destroyed.
class Timed {
 public:
  Timed() = default;
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  /// The deadline has passed (it is unset again); may set the next one.
  virtual void on_deadline(SteadyTime now) = 0;

 protected:
  ~Timed();

 private:
  friend class Deadlines;
  static constexpr std::size_t kNone = ~std::size_t{0};
  Deadlines* heap_ = nullptr;
  std::size_t place_ = kNone;
  SteadyTime at_{};
};

class Deadlines {
 public:
  /// Wakes `who` at `at` at the latest; an earlier time that is already set stays.
  void no_later_than(Timed& who, SteadyTime at);
  void cancel(Timed& who);
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  /// The first time that is set; only when not empty.
  [[nodiscard]] SteadyTime first() const { return heap_.front()->at_; }
  /// Calls everybody whose time has come.
  void run(SteadyTime now);

 private:
  void up(std::size_t place);
  void down(std::size_t place);
  void put(Timed* who, std::size_t place);

  std::vector<Timed*> heap_;
};

}  // namespace ambassador::proxy::net
