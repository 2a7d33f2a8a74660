#include "proxy/redis/md5.hpp"

#include <bit>
#include <cstring>

#include "proxy/redis/bytes.hpp"

namespace ambassador::proxy::redis {
namespace {

using Words = std::array<std::uint32_t, 4>;

// floor(2^32 * abs(sin(i + 1))), RFC 1321 section 3.4.
constexpr std::array<std::uint32_t, 64> kSines{
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr std::array<std::array<int, 4>, 4> kRotations{
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

void add_block(Words& digest, const char* block) {
  auto [a, b, c, d] = digest;
  for (unsigned i = 0; i < 64; ++i) {
    std::uint32_t mix = 0;
    unsigned word = 0;
    switch (i / 16) {
      case 0:
        mix = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        mix = (d & b) | (~d & c);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        mix = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default:
        mix = c ^ (b | ~d);
        word = 7 * i % 16;
    }
    mix += a + kSines[i] + little_endian32(block + std::size_t{4} * word);
    a = d;
    d = c;
    c = b;
    b += std::rotl(mix, kRotations[i / 16][i % 4]);
  }
  digest[0] += a;
  digest[1] += b;
  digest[2] += c;
  digest[3] += d;
}

}  // namespace

std::array<std::uint32_t, 4> md5(std::string_view text) {
  constexpr std::size_t kBlock = 64;
  Words digest{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::string_view rest = text;
  for (; rest.size() >= kBlock; rest.remove_prefix(kBlock)) add_block(digest, rest.data());

  // The end: a 1 bit, zeros, and the length in bits as 64 little-endian bits close the last block.
  std::array<char, 2 * kBlock> last{};
  if (!rest.empty()) std::memcpy(last.data(), rest.data(), rest.size());
  last[rest.size()] = static_cast<char>(0x80);
  const std::size_t size = rest.size() + 1 + 8 <= kBlock ? kBlock : 2 * kBlock;
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  for (unsigned i = 0; i < 8; ++i) last[size - 8 + i] = static_cast<char>(bits >> (8 * i));
  for (std::size_t at = 0; at < size; at += kBlock) add_block(digest, last.data() + at);
  return digest;
}

}  // namespace ambassador::proxy::redis
