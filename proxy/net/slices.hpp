// A queue of bytes that lie in blocks: what is to be sent to one peer, or kept of one reply. Small pieces are
// copied together, large ones only referred to (an entry of a writev costs about as much as copying 200
// bytes). One worker's thread only.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/net/block.hpp"
#include "proxy/net/ring.hpp"

namespace ambassador::proxy::net {

struct Slice {
  BlockRef block;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
  [[nodiscard]] const char* data() const { return block->data() + begin; }
  [[nodiscard]] std::string_view view() const { return {data(), size()}; }
};

/// Room behind `input` for one receive: at least kLeastRoom bytes. What is in it stays, in a wider block if
/// need be.
void make_room(BlockPool& pool, Slice& input);
/// Less room than this is not worth a receive.
inline constexpr std::size_t kLeastRoom = 2048;

class Slices {
 public:
  /// Pieces below this are copied.
  static constexpr std::size_t kCopyBelow = 1024;

  [[nodiscard]] std::size_t size() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  [[nodiscard]] std::size_t pieces() const { return ring_.size(); }
  /// Memory held for it: at least its bytes, mostly whole blocks.
  [[nodiscard]] std::size_t held() const;

  /// Copies `n` bytes behind the others.
  void copy(BlockPool& pool, const char* at, std::size_t n);
  /// Refers to `n` bytes at `at`, which lie in `block`.
  void refer(Block* block, const char* at, std::size_t n);
  /// Copies when that is cheaper, refers otherwise.
  void append(BlockPool& pool, Block* block, const char* at, std::size_t n) {
    if (n < kCopyBelow) {
      copy(pool, at, n);
    } else {
      refer(block, at, n);
    }
  }
  /// For the client's side, where one reply is often all there is: refers to the first piece and to what
  /// follows it without a gap, otherwise like append.
  void append_reply(BlockPool& pool, Block* block, const char* at, std::size_t n) {
    if (bytes_ == 0 || follows(block, at)) {
      refer(block, at, n);
    } else {
      append(pool, block, at, n);
    }
  }
  /// Moves all of `other` behind this.
  void take(BlockPool& pool, Slices& other);
  /// Moves the first `n` bytes of `other` behind this.
  void take(Slices& other, std::size_t n);

  void consume(std::size_t n);
  void clear();
  /// Gives the queue's own memory back when it is empty.
  void shrink() {
    if (ring_.empty() && ring_.capacity() > Ring<Slice>::kFirst) ring_.release();
  }

  /// Fills `out` with the first pieces; returns how many.
  std::size_t gather(std::span<iovec> out) const;
  /// All bytes in one piece: in place when they lie so, else copied into `scratch`.
  [[nodiscard]] std::string_view flat(std::string& scratch) const { return front(bytes_, scratch); }
  /// The same of the first `n` bytes, or of all if there are fewer.
  [[nodiscard]] std::string_view front(std::size_t n, std::string& scratch) const;

 private:
  [[nodiscard]] bool follows(const Block* block, const char* at) {
    return !ring_.empty() && ring_.back().block.get() == block &&
           ring_.back().data() + ring_.back().size() == at;
  }

  Ring<Slice> ring_;
  std::size_t bytes_ = 0;
  BlockRef copies_;  // where small pieces are copied to; ours alone beyond filled_
  std::uint32_t filled_ = 0;
};

}  // namespace ambassador::proxy::net
