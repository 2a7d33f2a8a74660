// A queue in one power-of-two array: push at the back, pop at the front, index from the front. Elements are
// made once and reused, so that what they hold (capacity of their own) survives; a popped element must be
// reset by its user. Grows by doubling, never shrinks by itself. Hot path of the relay: nothing is allocated
// in the steady state.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace ambassador::proxy::net {

template <class T>
class Ring {
 public:
  /// The capacity of one that has had an element.
  static constexpr std::uint32_t kFirst = 4;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  /// The new last element, as its last user left it.
  T& push() {
    if (size_ == capacity_) grow();
    return slots_[(head_ + size_++) & (capacity_ - 1)];
  }
  [[nodiscard]] T& operator[](std::size_t i) {
    assert(i < size_);
    return slots_[(head_ + i) & (capacity_ - 1)];
  }
  [[nodiscard]] const T& operator[](std::size_t i) const {
    assert(i < size_);
    return slots_[(head_ + i) & (capacity_ - 1)];
  }
  [[nodiscard]] T& front() { return (*this)[0]; }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] T& back() { return (*this)[size_ - 1]; }

  void pop() {
    assert(size_ > 0);
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
  }
  void pop_back() {
    assert(size_ > 0);
    --size_;
  }
  /// Gives the memory back; only when empty.
  void release() {
    assert(empty());
    slots_.reset();
    head_ = 0;
    capacity_ = 0;
  }
  void swap(Ring& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  void grow() {
    const std::uint32_t wider = capacity_ == 0 ? kFirst : capacity_ * 2;
    auto slots = std::make_unique<T[]>(wider);
    for (std::uint32_t i = 0; i < size_; ++i) slots[i] = std::move(slots_[(head_ + i) & (capacity_ - 1)]);
    slots_ = std::move(slots);
    head_ = 0;
    capacity_ = wider;
  }

  std::unique_ptr<T[]> slots_;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace ambassador::proxy::net
