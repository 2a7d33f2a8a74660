#include "proxy/net/slices.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace ambassador::proxy::net {

void make_room(BlockPool& pool, Slice& input) {
  if (!input.block) {
    input.block = pool.take();
    input.begin = input.end = 0;
    return;
  }
  if (input.size() == 0 && input.block.sole()) input.begin = input.end = 0;
  if (input.block->capacity - input.end >= kLeastRoom) return;
  const std::size_t left = input.size();
  BlockRef wider = pool.take_large(std::max(BlockPool::kCapacity, 2 * left));
  std::memcpy(wider->data(), input.data(), left);
  input.block = std::move(wider);
  input.begin = 0;
  input.end = static_cast<std::uint32_t>(left);
}

std::size_t Slices::held() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < ring_.size(); ++i) sum += ring_[i].block->capacity;
  return sum;
}

void Slices::copy(BlockPool& pool, const char* at, std::size_t n) {
  bytes_ += n;
  while (n > 0) {
    if (!copies_ || filled_ == copies_->capacity) {
      copies_ = pool.take();
      filled_ = 0;
    }
    const std::size_t part = std::min<std::size_t>(n, copies_->capacity - filled_);
    char* to = copies_->data() + filled_;
    std::memcpy(to, at, part);
    filled_ += static_cast<std::uint32_t>(part);
    if (follows(copies_.get(), to)) {
      ring_.back().end = filled_;
    } else {
      Slice& fresh = ring_.push();
      fresh.block = copies_;
      fresh.end = filled_;
      fresh.begin = filled_ - static_cast<std::uint32_t>(part);
    }
    at += part;
    n -= part;
  }
}

void Slices::refer(Block* block, const char* at, std::size_t n) {
  if (n == 0) return;
  bytes_ += n;
  if (follows(block, at)) {
    ring_.back().end += static_cast<std::uint32_t>(n);
    return;
  }
  Slice& fresh = ring_.push();
  fresh.block = BlockRef(block);
  fresh.begin = static_cast<std::uint32_t>(at - block->data());
  fresh.end = fresh.begin + static_cast<std::uint32_t>(n);
}

void Slices::take(BlockPool& pool, Slices& other) {
  if (ring_.empty()) {
    ring_.swap(other.ring_);
    std::swap(bytes_, other.bytes_);
    std::swap(copies_, other.copies_);
    std::swap(filled_, other.filled_);
    return;
  }
  while (!other.ring_.empty()) {
    Slice& piece = other.ring_.front();
    append_reply(pool, piece.block.get(), piece.data(), piece.size());
    piece.block.reset();
    other.ring_.pop();
  }
  other.bytes_ = 0;
  other.copies_.reset();
}

void Slices::take(Slices& other, std::size_t n) {
  assert(n <= other.bytes_);
  while (n > 0) {
    const Slice& piece = other.ring_.front();
    const std::size_t part = std::min(n, piece.size());
    refer(piece.block.get(), piece.data(), part);
    other.consume(part);
    n -= part;
  }
}

void Slices::consume(std::size_t n) {
  assert(n <= bytes_);
  bytes_ -= n;
  while (n > 0) {
    Slice& piece = ring_.front();
    const std::size_t part = std::min(n, piece.size());
    piece.begin += static_cast<std::uint32_t>(part);
    n -= part;
    if (piece.begin < piece.end) return;
    piece.block.reset();
    ring_.pop();
  }
  if (ring_.empty()) copies_.reset();
}

void Slices::clear() {
  consume(bytes_);
}

std::size_t Slices::gather(std::span<iovec> out) const {
  const std::size_t count = std::min(out.size(), ring_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Slice& piece = ring_[i];
    out[i] = {const_cast<char*>(piece.data()), piece.size()};
  }
  return count;
}

std::string_view Slices::front(std::size_t n, std::string& scratch) const {
  n = std::min(n, bytes_);
  if (n == 0) return {};
  if (ring_.front().size() >= n) return ring_.front().view().substr(0, n);
  scratch.clear();
  scratch.reserve(n);
  for (std::size_t i = 0; scratch.size() < n; ++i)
    scratch.append(ring_[i].view().substr(0, n - scratch.size()));
  return scratch;
}

}  // namespace ambassador::proxy::net
