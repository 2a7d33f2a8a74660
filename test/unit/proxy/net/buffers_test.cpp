#include <catch2/catch.hpp>
#include <deque>
#include <random>

#include "proxy/net/ring.hpp"
#include "proxy/net/slices.hpp"

using namespace ambassador::proxy::net;

namespace {

std::string text(const Slices& slices) {
  std::string scratch;
  return std::string(slices.flat(scratch));
}

/// A block with this text at its begin.
BlockRef block_with(BlockPool& pool, std::string_view bytes) {
  BlockRef block = pool.take_large(bytes.size());
  std::copy(bytes.begin(), bytes.end(), block->data());
  return block;
}

}  // namespace

TEST_CASE("a ring gives back what was put in, in order, however it wraps and grows") {
  Ring<int> ring;
  std::deque<int> model;
  std::mt19937 random(1);
  for (int i = 0; i < 10000; ++i) {
    if (random() % 5 < 3) {
      ring.push() = i;
      model.push_back(i);
    } else if (!model.empty()) {
      CHECK(ring.front() == model.front());
      ring.pop();
      model.pop_front();
    }
    REQUIRE(ring.size() == model.size());
    if (!model.empty()) CHECK(ring[model.size() / 2] == model[model.size() / 2]);
  }
}

TEST_CASE("blocks come back to the pool when the last reference goes, and are used again") {
  BlockPool pool;
  Block* first = nullptr;
  {
    BlockRef block = pool.take();
    first = block.get();
    const BlockRef other = block;
    CHECK_FALSE(block.sole());
    CHECK(pool.in_use() == BlockPool::kCapacity);
  }
  CHECK(pool.in_use() == 0);
  CHECK(pool.take().get() == first);
  const BlockRef large = pool.take_large(100'000);
  CHECK(large->capacity == 100'000);
  CHECK(pool.in_use() == 100'000);
}

TEST_CASE("small pieces are copied together, large ones referred to, the order stays") {
  BlockPool pool;
  const std::string large(5000, 'L');
  const BlockRef source = block_with(pool, large);
  Slices slices;
  slices.append(pool, source.get(), source->data(), 3);
  slices.append(pool, source.get(), source->data(), 4);
  CHECK(slices.pieces() == 1);
  slices.append(pool, source.get(), source->data(), 5000);
  CHECK(slices.pieces() == 2);
  slices.copy(pool, "end", 3);
  CHECK(text(slices) == "LLLLLLL" + large + "end");
  CHECK(source->references == 2);
  slices.consume(8);
  CHECK(text(slices) == large.substr(1) + "end");
  slices.clear();
  CHECK(source->references == 1);
}

TEST_CASE("the first bytes come in one piece, wherever they lie") {
  BlockPool pool;
  Slices slices;
  std::string scratch;
  CHECK(slices.front(3, scratch).empty());
  const BlockRef one = block_with(pool, "one");
  const BlockRef two = block_with(pool, "two");
  slices.refer(one.get(), one->data(), 3);
  slices.refer(two.get(), two->data(), 3);
  CHECK(slices.front(0, scratch).empty());
  CHECK(slices.front(2, scratch) == "on");
  CHECK(slices.front(3, scratch) == "one");
  CHECK(scratch.empty());
  CHECK(slices.front(4, scratch) == "onet");
  CHECK(slices.front(100, scratch) == "onetwo");
}

TEST_CASE("replies that lie side by side are one piece, without a copy") {
  BlockPool pool;
  const BlockRef source = block_with(pool, "+OK\r\n+OK\r\n+OK\r\n");
  Slices slices;
  for (int i = 0; i < 3; ++i) slices.append_reply(pool, source.get(), source->data() + 5 * i, 5);
  CHECK(slices.pieces() == 1);
  CHECK(source->references == 2);
  CHECK(text(slices) == "+OK\r\n+OK\r\n+OK\r\n");
}

TEST_CASE("whatever is appended, moved and consumed, the bytes are those of a string") {
  BlockPool pool;
  std::mt19937 random(7);
  std::string noise;
  for (int i = 0; i < 16000; ++i) noise.push_back(static_cast<char>(random()));
  {
    const BlockRef source = block_with(pool, noise);
    Slices slices, other;
    std::string model, other_model;
    for (int i = 0; i < 4000; ++i) {
      const std::size_t n = random() % 10 == 0 ? random() % 8000 : random() % 100;
      const std::size_t at = random() % (noise.size() - n);
      const std::string_view piece = std::string_view(noise).substr(at, n);
      switch (random() % 6) {
        case 0:
          slices.copy(pool, piece.data(), n), model += piece;
          break;
        case 1:
          slices.append(pool, source.get(), source->data() + at, n), model += piece;
          break;
        case 2:
          slices.append_reply(pool, source.get(), source->data() + at, n), model += piece;
          break;
        case 3:
          other.append(pool, source.get(), source->data() + at, n), other_model += piece;
          break;
        case 4: {
          const std::size_t away = random() % (model.size() + 1);
          slices.consume(away);
          model.erase(0, away);
          break;
        }
        case 5: {
          if (random() % 2 == 0) {
            slices.take(pool, other);
            model += std::exchange(other_model, "");
          } else {
            const std::size_t part = random() % (other_model.size() + 1);
            slices.take(other, part);
            model += other_model.substr(0, part);
            other_model.erase(0, part);
          }
        }
      }
      REQUIRE(slices.size() == model.size());
      REQUIRE(other.size() == other_model.size());
      if (i % 16 == 0) {
        REQUIRE(text(slices) == model);
        REQUIRE(text(other) == other_model);
      }
    }
  }
  CHECK(pool.in_use() == 0);
}
