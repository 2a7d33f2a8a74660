#include "proxy/net/block.hpp"

#include <cstdlib>
#include <new>

namespace ambassador::proxy::net {

BlockPool::~BlockPool() {
  assert(in_use() == 0);
  while (free_ != nullptr) std::free(std::exchange(free_, free_->next_free));
}

BlockRef BlockPool::make(std::size_t capacity) {
  void* memory = std::malloc(sizeof(Block) + capacity);
  if (memory == nullptr) throw std::bad_alloc();
  auto* block = new (memory) Block{this, nullptr, 0, static_cast<std::uint32_t>(capacity)};
  add_in_use(capacity);
  return BlockRef(block);
}

BlockRef BlockPool::take_large(std::size_t capacity) {
  return capacity <= kCapacity ? take() : make(capacity);
}  // NOLINT(clang-analyzer-unix.Malloc): whoever holds the last BlockRef gives it back

void BlockPool::give_back(Block* block) {
  in_use_.store(in_use() - block->capacity, std::memory_order_relaxed);
  if (block->capacity != kCapacity || free_count_ >= kRetained) {
    std::free(block);
    return;
  }
  block->next_free = free_;
  free_ = block;
  ++free_count_;
}

}  // namespace ambassador::proxy::net
