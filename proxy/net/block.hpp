// The memory that bytes pass through: blocks of 16 KiB from a worker's free list, counted by reference, so
// that a reply can go from the block it was received in to the client's socket without a copy. One worker's
// thread only. An idle connection holds no block.
#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ambassador::proxy::net {

class BlockPool;

/// The head of a block; its bytes follow it in memory.
struct Block {
  BlockPool* pool;
  Block* next_free;
  std::uint32_t references;
  std::uint32_t capacity;
  [[nodiscard]] char* data() { return reinterpret_cast<char*>(this + 1); }
};

/// A counted reference to a block.
class BlockRef {
 public:
  BlockRef() = default;
  explicit BlockRef(Block* block) : block_(block) {
    if (block_ != nullptr) ++block_->references;
  }
  BlockRef(const BlockRef& other) : BlockRef(other.block_) {}
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() { reset(); }
  inline void reset();

  [[nodiscard]] Block* get() const { return block_; }
  Block* operator->() const { return block_; }
  explicit operator bool() const { return block_ != nullptr; }
  /// No one else reads this block: its bytes may be written over.
  [[nodiscard]] bool sole() const { return block_ != nullptr && block_->references == 1; }

 private:
  Block* block_ = nullptr;
};

class BlockPool {
 public:
  /// Of a usual block, head included: the unit of one recv.
  static constexpr std::size_t kBlockSize = std::size_t{16} * 1024;
  static constexpr std::size_t kCapacity = kBlockSize - sizeof(Block);
  /// Free blocks kept for the next turn (1 MiB); what is above goes back to the system.
  static constexpr std::size_t kRetained = 64;

  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  [[nodiscard]] BlockRef take() {
    if (free_ == nullptr) return make(kCapacity);
    Block* block = free_;
    free_ = block->next_free;
    --free_count_;
    add_in_use(block->capacity);
    return BlockRef(block);
  }
  /// For a message that must be seen whole: a block of at least `capacity` bytes, never kept for reuse.
  [[nodiscard]] BlockRef take_large(std::size_t capacity);

  /// Bytes in blocks that someone holds. Any thread.
  [[nodiscard]] std::size_t in_use() const { return in_use_.load(std::memory_order_relaxed); }

 private:
  friend class BlockRef;
  BlockRef make(std::size_t capacity);
  void give_back(Block* block);
  void add_in_use(std::size_t bytes) {
    in_use_.store(in_use_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }

  Block* free_ = nullptr;
  std::size_t free_count_ = 0;
  std::atomic<std::size_t> in_use_{0};
};

inline void BlockRef::reset() {
  if (block_ == nullptr) return;
  assert(block_->references > 0);
  if (--block_->references == 0) block_->pool->give_back(block_);
  block_ = nullptr;
}

}  // namespace ambassador::proxy::net
